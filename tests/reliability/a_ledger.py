"""A program that makes an installation with a small ledger in ``ANBAN_HOME``, for tests that use the command line on it."""

from __future__ import annotations

import os


def main() -> None:
    """Create the database and enter the ledger."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "anban.config.settings"
    import django

    django.setup()
    from anban.config.installation import migrate
    from tests.factories.journals import ledger

    migrate()
    ledger()


if __name__ == "__main__":
    main()
