"""Floor 6: settings, urls, wsgi and the command line."""
