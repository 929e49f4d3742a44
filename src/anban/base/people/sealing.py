"""Secrets that have to be read again (an authenticator's) are encrypted under a key that stands outside the database."""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from anban.base.keyfiles import key_file, put_once
from anban.rules.errors import Refusal, register

register(
    "people.factor_unreadable",
    zh="这台机器上没有验证器的密钥（keys/factors.key），读不出您绑定的验证器。请联系安全管理员重置第二因素，"
    "或请系统管理员在控制台运行 anban set-up-link --login 账号 --reset-factor。",
    en="The key of the authenticators (keys/factors.key) is not on this machine, so yours cannot be read. Ask the security "
    "administrator to reset your second factor, or run anban set-up-link --login NAME --reset-factor at the console.",
)

KEY_FILE: Final = "factors.key"
MARK: Final = "v1."
NONCE: Final = 12


def seal(secret: str, account_id: UUID) -> str:
    """Encrypt a secret for one account (AES-256-GCM): copied to another account's row it opens nothing."""
    nonce = secrets.token_bytes(NONCE)
    sealed = _cipher(make=True).encrypt(nonce, secret.encode(), account_id.bytes)
    return MARK + base64.b64encode(nonce + sealed).decode()


def unseal(sealed: str, account_id: UUID) -> str:
    """Return the secret; of nothing, nothing. Raises: people.factor_unreadable without the key that sealed it."""
    if not sealed:
        return ""
    try:
        if not sealed.startswith(MARK):
            raise ValueError("not a sealed secret")
        raw = base64.b64decode(sealed.removeprefix(MARK), validate=True)
        return _cipher(make=False).decrypt(raw[:NONCE], raw[NONCE:], account_id.bytes).decode()
    except (InvalidTag, ValueError, binascii.Error, FileNotFoundError) as error:
        raise Refusal("people.factor_unreadable") from error


def readable(sealed: str, account_id: UUID) -> bool:
    """Tell whether this installation's key opens a secret."""
    try:
        unseal(sealed, account_id)
    except Refusal:
        return False
    return True


def _cipher(*, make: bool) -> AESGCM:
    """Return the cipher of the installation's key of 32 bytes, kept in hexadecimal; ``make`` it where there is none yet."""
    path = key_file(KEY_FILE)
    if make and not path.exists():
        put_once(path, secrets.token_bytes(32).hex(), 0o600)
    return AESGCM(bytes.fromhex(path.read_text().strip()))
