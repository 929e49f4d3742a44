"""Every interface text has its English in the committed catalog, and the collector sees every way of writing one."""

from __future__ import annotations

import gettext
import io

import pytest

from tools import messages

TEMPLATE = """{% translate "我的待办" %}{% translate "占 5%" as share %}
{% blocktranslate trimmed count n=rows %}
  共 {{ n }} 条
{% plural %}
  共 {{ n }} 条
{% endblocktranslate %}{% blocktranslate with who=person.name %}由{{ who }}签收{% endblocktranslate %}
{% include "part.html" with label=_("签字") %}{# {% translate "旧词" %} #}"""


def test_the_committed_catalog_is_complete_and_current(capsys: pytest.CaptureFixture[str]) -> None:
    status = messages.main(["--check"])
    assert status == 0, capsys.readouterr().err
    assert len(messages.used_texts().plurals) > 200


def test_every_way_of_writing_a_text_is_collected() -> None:
    texts = messages.Texts()
    messages.from_template(TEMPLATE, "a.html", texts)
    messages.from_python('x = _("台账")\ny = ngettext("%(n)s 人", "%(n)s 人", 2)\n', "a.py", texts)
    assert texts.plurals == {
        "我的待办": None,
        "占 5%%": None,
        "共 %(n)s 条": "共 %(n)s 条",
        "由%(who)s签收": None,
        "签字": None,
        "台账": None,
        "%(n)s 人": "%(n)s 人",
    }


def test_a_text_in_an_f_string_is_refused() -> None:
    with pytest.raises(messages.Trouble, match="f-string"):
        messages.from_python('_(f"第{n}页")', "a.py", messages.Texts())


@pytest.mark.parametrize(
    ("english", "reason"),
    [
        ({}, "no English"),
        ({"共 %(n)s 条": ("rows", "", "a.csv")}, "placeholders differ"),
        ({"共 %(n)s 条": ("%(n)s rows", "", "a.csv"), "旧词": ("Old", "", "a.csv")}, "no longer used"),
    ],
)
def test_planted_fault_in_the_texts_is_found(english: dict[str, tuple[str, str, str]], reason: str) -> None:
    texts = messages.Texts()
    texts.add("共 %(n)s 条", None, "a.html:1")
    with pytest.raises(messages.Trouble, match=reason):
        messages.catalog_of(texts, english)


def test_the_compiled_catalog_reads_back_with_its_plurals() -> None:
    texts = messages.Texts()
    texts.add("共 %(n)s 条", "共 %(n)s 条", "a.html:1")
    english = {"共 %(n)s 条": ("%(n)s row", "%(n)s rows", "a.csv")}
    first, second = (messages.compiled(messages.catalog_of(texts, english)) for _ in range(2))
    read = gettext.GNUTranslations(io.BytesIO(first[1]))
    assert first == second
    assert read.ngettext("共 %(n)s 条", "共 %(n)s 条", 1) == "%(n)s row"
    assert read.ngettext("共 %(n)s 条", "共 %(n)s 条", 2) == "%(n)s rows"
