"""Authenticators' secrets at rest: encrypted per account under a key beside the database, and a clear word without the key."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pyotp
import pytest

from anban.base import health
from anban.base.people import backend, operations, queries, sealing
from anban.base.people.models import Account
from anban.kit.clock import now
from anban.rules.errors import Refusal
from tests.factories.office import Office

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, settings: pytest.FixtureRequest) -> Path:
    """A folder of keys of its own."""
    settings.KEYS_ROOT = tmp_path  # type: ignore[attr-defined]
    return tmp_path


def test_a_sealed_secret_opens_for_its_account_alone_and_never_looks_the_same_twice(keys: Path) -> None:
    one, other = uuid4(), uuid4()
    sealed = sealing.seal(SECRET, one)
    assert sealing.unseal(sealed, one) == SECRET
    assert SECRET not in sealed
    assert sealing.seal(SECRET, one) != sealed
    assert (keys / "factors.key").stat().st_mode & 0o777 == 0o600
    bent = sealed[:-5] + ("A" if sealed[-5] != "A" else "B") + sealed[-4:]
    for wrong, account in ((sealed, other), (bent, one), (SECRET, one), ("v1.x", one), ("v1.", one)):
        assert not sealing.readable(wrong, account)
        with pytest.raises(Refusal) as refused:
            sealing.unseal(wrong, account)
        assert refused.value.code == "people.factor_unreadable"
    assert sealing.unseal("", one) == ""


def test_without_the_key_the_factor_is_refused_with_what_to_do_and_the_status_says_so(keys: Path) -> None:
    office = Office()
    account = office.account("a", factor=True)
    row = Account.objects.get(pk=account.pk)
    code = pyotp.TOTP(sealing.unseal(row.totp_secret, row.pk)).now()
    (keys / "factors.key").rename(keys / "elsewhere")
    with pytest.raises(Refusal) as refused:
        backend.check_factor(row.pk, code, source="x", at=now())
    assert refused.value.code == "people.factor_unreadable"
    assert "set-up-link" in refused.value.zh
    assert not (keys / "factors.key").exists()
    assert backend.usable_code(row, now()) == ""
    assert queries.unreadable_factors() == 1
    (check,) = (one for one in health.checks(now()) if one.name == "factors")
    assert not check.ok
    office.account("k", "security_admin")
    operations.reset_factor(actor=office.actor("k"), at=now(), account=row)
    assert queries.unreadable_factors() == 0
