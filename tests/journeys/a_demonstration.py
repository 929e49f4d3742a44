"""A program that makes a small demonstration city in ``ANBAN_HOME``, lets its first night pass, and signs everybody in.

It prints one JSON object: login to the value of a session that a browser can send.
"""

from __future__ import annotations

import json
import os
import sys

HAZARDS = 130
NIGHT = ("hazards.clocks", "hazards.chains", "responsibility.net", "oversight.day")


def main() -> None:
    """Create the database and the city, run what the worker runs by night, open a session for each login."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "anban.config.settings"
    import django

    django.setup()
    from django.conf import settings
    from django.test import Client
    from django.utils.timezone import now

    from anban.base.jobs import registry
    from anban.base.jobs.worker import run_once
    from anban.base.people.queries import account_by_login
    from anban.config import demonstration
    from anban.config.installation import migrate

    migrate()
    made = demonstration.build(at=now(), hazards=HAZARDS, fill=HAZARDS)
    registry.load()
    run_once(NIGHT, at=now())
    sessions = {}
    for row in made["logins"]:
        account = account_by_login(row["login"])
        assert account is not None
        client = Client()
        client.force_login(account)
        session = client.session
        session["second_factor"] = True
        session["root"] = demonstration.ROOT
        session.save()
        sessions[row["login"]] = client.cookies[settings.SESSION_COOKIE_NAME].value
    json.dump({"cookie": settings.SESSION_COOKIE_NAME, "sessions": sessions}, sys.stdout)


if __name__ == "__main__":
    main()
