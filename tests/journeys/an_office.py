"""A program that makes an installation in ``ANBAN_HOME`` with the town, one place, and an account nobody has set up yet."""

from __future__ import annotations

import os


def main() -> None:
    """Create the database, the town, its place and its inspector's account."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "anban.config.settings"
    import django

    django.setup()
    from anban.base.people.operations import open_account
    from anban.config.installation import migrate
    from tests.factories.town import AT, town

    migrate()
    made = town()
    made.place()
    open_account(actor=made.job, at=AT, person=made.people["王敏"], login="wang.min")


if __name__ == "__main__":
    main()
