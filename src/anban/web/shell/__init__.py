"""The frame of every page: base templates, components, static files and the switch of theme."""
