"""Tables of natural persons, their accounts, tokens, receipts of requests, saved views and the log of personal reads."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from anban.base.fields import Identified
from anban.kit.ids import new_id


class Person(Identified):
    """A natural person (自然人). The journal knows only the id; name and telephone can be erased."""

    retention = "personal"
    personal = ("name", "phone")

    root = models.CharField(max_length=20, db_index=True)
    name = models.CharField(max_length=80, blank=True)
    phone = models.CharField(max_length=30, blank=True)
    steward = models.BooleanField(
        default=False, help_text="named for records nobody living is responsible for (历史数据管理人)"
    )
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["root", "name"], name="person_name")]


class Account(AbstractBaseUser):
    """A login (账号) of one person; there are no shared accounts and no default passwords."""

    retention = "personal"
    personal = ("login",)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="accounts")
    login = models.CharField(max_length=80, unique=True)
    is_active = models.BooleanField(default=True)
    language = models.CharField(max_length=10, blank=True)
    theme = models.CharField(max_length=10, blank=True)
    totp_secret = models.CharField(
        max_length=200, blank=True, help_text="encrypted for this account, never in clear (see sealing)"
    )
    totp_last_step = models.BigIntegerField(default=0)
    setup_hash = models.CharField(max_length=64, blank=True)
    setup_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    disabled_at = models.DateTimeField(null=True, blank=True)

    USERNAME_FIELD = "login"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects = BaseUserManager()


class SignInAttempt(Identified):
    """One try to sign in, for throttling; the login is kept as a hash and the row for a day."""

    retention = "log"

    login_hash = models.CharField(max_length=64)
    source_hash = models.CharField(max_length=64)
    at = models.DateTimeField()
    succeeded = models.BooleanField()

    class Meta:
        indexes = [
            models.Index(fields=["login_hash", "at"], name="attempt_login"),
            models.Index(fields=["source_hash", "at"], name="attempt_source"),
        ]


class ApiToken(Identified):
    """A key for programs (接口令牌): shown once, kept as a hash, with scope and expiry."""

    retention = "log"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="tokens")
    label = models.CharField(max_length=80, blank=True)
    scope = models.CharField(max_length=200)
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)


class Receipt(Identified):
    """The answer given to a request that carried an idempotency key; written in the request's own transaction."""

    retention = "log"

    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    key = models.CharField(max_length=200)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    body = models.TextField()
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="receipt_once")]


class SavedView(Identified):
    """A saved filter of a list (已存筛选): a name for a URL's query, private or shared within the root."""

    retention = "working"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="views")
    root = models.CharField(max_length=20)
    page = models.CharField(max_length=40)
    title = models.CharField(max_length=80)
    query = models.TextField(blank=True)
    columns = models.TextField(blank=True)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField()


class AccessRecord(Identified):
    """A read of personal data or an export (查阅记录), apart from the journal."""

    retention = "log"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True)
    person = models.ForeignKey(Person, on_delete=models.PROTECT, null=True)
    at = models.DateTimeField(db_index=True)
    what = models.CharField(max_length=60)
    subject = models.CharField(max_length=120, blank=True)
    rows = models.BigIntegerField(default=0)
