"""Somebody keeps the journal's head; then a byte of the database file and a row of the ledger are changed, and both are found."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.chromium import PATIENCE_MS
from tests.journeys.serving import serving
from tests.reliability.test_tampered import Office

PASSWORD = "four words make one key"


def test_what_was_changed_behind_the_journals_back_is_found(chromium: Browser, tmp_path: Path) -> None:
    office = Office(tmp_path / "office")
    assert office.run("-m", "tests.journeys.an_office").returncode == 0
    link = office.anban("set-up-link", "--login", "wang.min").stdout.strip()
    context = chromium.new_context(viewport={"width": 390, "height": 844}, locale="zh-CN")
    context.set_default_timeout(PATIENCE_MS)
    with serving(office.environment) as url:
        # The inspector opens the one-time link, chooses a password, signs in, and records what it sees.
        page = context.new_page()
        page.goto(f"{url}{link}")
        for box in page.locator("input[type=password]").all():
            box.fill(PASSWORD)
        page.locator("main button[type=submit]").click()
        page.get_by_label("账号").fill("wang.min")
        page.get_by_label("密码", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("我的待办")
        page.goto(f"{url}/report/?q=EST-000001")
        with page.expect_response("**/report/codes/**"):
            page.get_by_role("radio", name="巷口面馆").check()
        page.wait_for_function("!document.querySelector('.htmx-request, .htmx-swapping')")
        page.select_option("#id_code", "RG07")
        page.fill("#id_fact", "报警器断电")
        page.get_by_role("button", name="上报", exact=True).click()
        expect(page.get_by_role("link", name="打开这条隐患")).to_be_visible()
    context.close()

    head = tmp_path / "head.txt"
    assert office.anban("journal", "head", "--out", str(head)).returncode == 0
    code, found, _report = office.verify(head)
    assert (code, found) == (0, set())

    # The row first, by the database; then one byte of the file itself, past the database and its guards.
    with sqlite3.connect(office.file) as database:
        database.execute("UPDATE hazards_hazard SET due_at = '2027-01-01 00:00:00'")
        (body,) = database.execute("SELECT body FROM journal_entry WHERE body LIKE '%hazard.entered%'").fetchone()
        (number,) = database.execute("SELECT number FROM hazards_hazard").fetchone()
        database.commit()
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    data = office.file.read_bytes()
    at = data.index(body.encode()) + body.encode().index(b'"code":"RG07"') + len(b'"code":"RG0')
    office.file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])

    code, found, report = office.verify(head)
    assert code == 1
    assert ("row.changed", "hazards_hazard") in found
    assert number in {one["number"] for one in report["findings"]}
    assert any(kind.startswith("entry.") for kind, _table in found)
    assert ("head.fork", "") in found
