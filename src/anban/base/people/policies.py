"""Who may keep accounts, what a password must be, and what a token may be for."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from anban.base.people.actor import Actor
from anban.rules.errors import Refusal, register

register("people.not_allowed", zh="您的岗位不能办理账号。", en="Your post may not handle accounts.")
register("people.not_yourself", zh="不能停用自己的账号。", en="You may not disable your own account.")
register("people.password_short", zh="密码至少 {least} 个字符。", en="A password needs at least {least} characters.")
register("people.password_long", zh="密码最多 {most} 个字符。", en="A password has at most {most} characters.")
register("people.password_is_login", zh="密码不能含有账号名。", en="The password may not contain the login.")
register("people.password_common", zh="这个密码太常见，容易被猜到。", en="This password is common and easily guessed.")
register(
    "people.scope_unknown",
    zh="令牌范围不明：{scope}。可用：{known}。",
    en="Unknown token scope {scope}. Known: {known}.",
)
register("people.days_out_of_range", zh="令牌有效期须为 1 到 {most} 天。", en="A token lasts from 1 to {most} days.")

KEEPERS: Final = frozenset({"security_admin", "steward"})
"""Who opens and ends accounts (账号管理): the security administrator, and the steward until one is appointed."""

AUDITORS: Final = frozenset({"audit_admin"})
PASSWORD_LEAST: Final = 10
PASSWORD_MOST: Final = 256
TOKEN_DAYS_MOST: Final = 366
SCOPES: Final = ("read", "write")
"""What a token may do (令牌范围): read, or write as well; never more than its account's posts allow."""

COMMON: Final = frozenset(
    """
    1234567890 0123456789 0987654321 9876543210 12345678910 123456789a a123456789 1111111111 0000000000 1212121212
    1122334455 5201314520 1314520520 13145201314 88888888888 8888888888 6666666666 1qaz2wsx3edc 1q2w3e4r5t 1q2w3e4r5t6y
    qwertyuiop qwerty123456 qwerty1234 qwer123456 asdfghjkl123 zxcvbnm123 password12 password123 password1234 passw0rd123
    p@ssw0rd123 p@ssword123 administrator admin12345 admin123456 admin888888 administrator1 root123456 welcome123
    welcome1234 changeme123 letmein1234 iloveyou12 iloveyou123 woaini1314 woaini520 woaini1314520 woaini123456 abc1234567
    abcd123456 abcd1234567 abcdefghij a1b2c3d4e5 aa12345678 aa123456789 qq123456789 qq12345678 zhongguo123 beijing123
    beijing2008 beijing2022 beijing123456 anquan12345 anquan123456 yingji12345 anban123456 anbananban huawei12345
    password@123 admin@12345 admin@123456 Aa123456789 test123456 test1234567 testtest123 superman123 monkey12345
    football123 computer123 sunshine123 qazwsxedc123 qazwsxedcrfv 147258369a 1472583690 7894561230 3.1415926535
    """.lower().split()
)
"""Passwords that guessing tries first, of the length that is allowed at all. Source: NIST SP 800-63B 5.1.1.2."""


def can_keep_accounts(actor: Actor) -> bool:
    """Tell whether the actor may open, disable and enable accounts in its root."""
    return actor.system or actor.has(*KEEPERS)


def require_may_keep_accounts(actor: Actor, root: str) -> None:
    """Refuse when the actor may not, or the person belongs to another root. Raises: people.not_allowed."""
    if not can_keep_accounts(actor) or (actor.root != root and not actor.system):
        raise Refusal("people.not_allowed")


def require_may_reset_factor(actor: Actor, root: str) -> None:
    """Refuse anybody but the security administrator (and the console). Raises: people.not_allowed."""
    if actor.system:
        return
    if not actor.has("security_admin") or actor.root != root:
        raise Refusal("people.not_allowed")


def require_own_or_keeper(actor: Actor, account_id: UUID, root: str) -> None:
    """Let everybody handle what is their own, and keepers what is in their root. Raises: people.not_allowed."""
    if actor.account_id != account_id:
        require_may_keep_accounts(actor, root)


def require_own(actor: Actor, account_id: UUID) -> None:
    """Let only the account's holder. Raises: people.not_allowed."""
    if actor.account_id != account_id:
        raise Refusal("people.not_allowed")


def require_may_audit(actor: Actor) -> None:
    """Let only the audit administrator read the log of personal reads. Raises: people.not_allowed."""
    if not actor.system and not actor.has(*AUDITORS):
        raise Refusal("people.not_allowed")


def check_password(password: str, login: str) -> None:
    """Refuse a password that is short, is the login or is guessed first; no classes of characters are asked for.

    Source: NIST SP 800-63B 5.1.1.2; GB/T 22239-2019 8.1.4.1 a). Raises: people.password_short, people.password_long,
    people.password_is_login, people.password_common.
    """
    if len(password) < PASSWORD_LEAST:
        raise Refusal("people.password_short", field="password", least=PASSWORD_LEAST)
    if len(password) > PASSWORD_MOST:
        raise Refusal("people.password_long", field="password", most=PASSWORD_MOST)
    plain = password.casefold()
    if len(login) >= 4 and login.casefold() in plain:
        raise Refusal("people.password_is_login", field="password")
    if plain in COMMON or len(set(plain)) <= 2:
        raise Refusal("people.password_common", field="password")


def check_token(scope: str, days: int) -> str:
    """Return the scope's words in their order. Raises: people.scope_unknown, people.days_out_of_range."""
    words = scope.replace(",", " ").split()
    unknown = [word for word in words if word not in SCOPES]
    if unknown or not words:
        raise Refusal("people.scope_unknown", field="scope", scope=" ".join(unknown) or "—", known=" ".join(SCOPES))
    if not 1 <= days <= TOKEN_DAYS_MOST:
        raise Refusal("people.days_out_of_range", field="days", most=TOKEN_DAYS_MOST)
    return " ".join(word for word in SCOPES if word in words)
