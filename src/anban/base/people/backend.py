"""Sign-in by login and password for Django's session machinery; permissions come from posts, never from here."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest

from anban.base.people.models import Account


class AccountBackend:
    """Checks a password against an active account and loads the account of a session."""

    def authenticate(self, request: HttpRequest | None, login: str = "", password: str = "") -> Account | None:
        """Return the account when the password is right and the account is active."""
        account = Account.objects.filter(login=login).first()
        if account is None:
            # The same work as for a known login, so that timing doesn't tell who exists.
            Account().set_password(password)
            return None
        if not account.check_password(password) or not account.is_active:
            return None
        return account

    def get_user(self, user_id: UUID | str) -> Account | None:
        """Return the active account of a session."""
        return Account.objects.filter(pk=user_id, is_active=True).select_related("person").first()
