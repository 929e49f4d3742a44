"""Floor 2: Django without the domain: people, journal, files, jobs, notices."""
