"""Rules (规则): an official picks a computable rule, fills the form made from its types, and quotes outcome, reasons and law."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from shlex import quote
from typing import Any, Final
from urllib.parse import urlencode

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from anban.contexts.territory import queries as territory
from anban.lake.warning.limits import LIMITS
from anban.rules.answering import Answer, ask
from anban.rules.decision import CANNOT_JUDGE
from anban.rules.describing import Input, inputs_of
from anban.rules.errors import Refusal
from anban.rules.every import all_rules, rule_named
from anban.rules.figures import grouped
from anban.rules.hazard_terms import Term
from anban.rules.loaded import Loaded
from anban.rules.reading import SHANGHAI
from anban.rules.registry import Rule, unit_of
from anban.rules.statistics.founding import founding_year
from anban.web.shell.access import OFFICIALS, actor_of, needs
from anban.web.shell.components import Crumb, Fact
from anban.web.shell.wording import in_english

ROWS: Final = 3
MOST_ROWS: Final = 60
SHOWN_ITEMS: Final = 24
WHOLE: Final = 100_000
"""From here on a statistic is written out: an exponent is no figure for a paper."""
MARKS: Final = {
    "verified": gettext_lazy("法规原文"),
    "excerpt": gettext_lazy("法规摘录"),
    "unconfirmed": gettext_lazy("待核对"),
    "estimate": gettext_lazy("实务估计"),
}
"""How sure the wording of a source is, as the settings say it."""

METHODS: Final = {"poisson_change": "change", "scan_cluster": "scan", "cusum": "cusum", "unseen_hazards": "hidden"}
"""Statistics that early warning uses as well: what they can and can't tell is said in the same words."""

_PARTS = re.compile(r"[\s,;，；、]+")
_WORDS = {"true": True, "false": False, "是": True, "否": False, "有": True, "无": False, "yes": True, "no": False}
_TRUTHS = {**_WORDS, "1": True, "0": False}
"""How people write yes and no; where a count may stand as well, 1 and 0 are counts."""
_LATE_FIELDS = re.compile(r"\[(\d+)\]\.?")


class Question(forms.Form):
    """The fields of a rule, judged by the rule's own reader and never by the form."""

    def full_clean(self) -> None:
        """Find nothing wrong: the reader says what is wrong, as it says it to programs."""
        self._errors = forms.utils.ErrorDict()
        self.cleaned_data = {}


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of an input that is a list of things."""

    title: str
    rows: tuple[tuple[forms.BoundField, ...], ...]


@needs(*OFFICIALS)
@require_GET
def rules(request: HttpRequest) -> HttpResponse:
    """List the rules: those of the law, then the statistics."""
    english = in_english()
    rows = [
        (each, each.en if english else each.zh, [en if english else zh for zh, en in each.gives.values()])
        for each in all_rules()
    ]
    shown = {
        "lawful": [row for row in rows if not row[0].is_statistic],
        "statistics": [row for row in rows if row[0].is_statistic],
        "root": actor_of(request).root,
    }
    return render(request, "desk/rules.html", shown)


@needs(*OFFICIALS)
@require_GET
def rule(request: HttpRequest, name: str) -> HttpResponse:
    """Show a rule's form; with `ask` in the address, its answer as well. The address is the question: it can be passed on."""
    english = in_english()
    try:
        found = rule_named(name)
    except Refusal as refusal:
        raise Http404 from refusal
    inputs = inputs_of(found.facts)
    rows = _rows(request.GET, inputs)
    root = actor_of(request).root
    loaded = territory.loaded(root)
    form = _form(request.GET, inputs, rows, loaded, english=english)
    answered: Answer | None = None
    given: dict[str, Any] = {}
    if "ask" in request.GET:
        try:
            given = _given(request.GET, inputs, rows)
            answered = ask(name, given, loaded)
        except Refusal as refusal:
            _refuse(form, refusal, english=english)
    title = found.en if english else found.zh
    shown = {
        "rule": found,
        "title": title,
        "crumbs": (Crumb(_("规则"), "/rules/"), Crumb(title)),
        "form": form,
        "fields": [
            (form[each.name], _offered(each, loaded, english=english) if each.many else {})
            for each in inputs
            if not each.inputs
        ]
        + [(form["on"], {})],
        "lists": dict(_lists(inputs, loaded, english=english)),
        "groups": [_group(form, each, rows, english=english) for each in inputs if each.inputs],
        "more_rows": min(rows + ROWS, MOST_ROWS),
        "limits": _limits(name, english=english),
        "answer": _shown(answered, form, inputs, english=english) if answered else None,
        "command": f"anban rule {name} --root {root} --json {quote(json.dumps(given, ensure_ascii=False))}",
    }
    return render(request, "desk/rule.html", shown, status=422 if form.errors else 200)


@needs(*OFFICIALS)
@require_GET
def year_2020(request: HttpRequest) -> HttpResponse:
    """Say what the figures of 2020–21 can and can't show; each leads to the rule that gives it, with the question filled in."""
    year = founding_year()
    asked = {
        name: f"/rules/{rule}/?{urlencode({**question, 'ask': 1})}" for name, (rule, question) in year.questions.items()
    }
    figures = {
        "expected": f"{year.expected_in_window:.2f}",
        "this": f"{year.p_this_window:.1%}",
        "some": f"{year.p_some_window:.0%}",
        "rare": year.rare_count,
        "p_rare": f"{year.p_rare:.1%}",
        "level": f"{year.chart_level:.2f}",
        "base": year.base_for_the_fall,
        "p_example": f"{year.p_example:.3f}",
        "power": f"{year.power:.0%}",
        "base_for_power": year.base_for_power,
    }
    crumbs = (Crumb(_("规则"), "/rules/"), Crumb(_("2020—2021 年的数字")))
    return render(request, "desk/year_2020.html", {"figures": figures, "asked": asked, "crumbs": crumbs})


def _limits(name: str, *, english: bool) -> tuple[str, str, str] | None:
    """Return what a statistic can and can't tell, and how often it is wrong where nothing has changed."""
    told = LIMITS.get(METHODS.get(name, ""))
    if told is None:
        return None
    return (told.can_en, told.cannot_en, told.bound_en) if english else (told.can_zh, told.cannot_zh, told.bound_zh)


def _refuse(form: Question, refusal: Refusal, *, english: bool) -> None:
    """Put a refusal beside the field it names, in the words of the form instead of the name that programs use."""
    where = _LATE_FIELDS.sub(r".\1.", refusal.field or "").rstrip(".")
    target = next((each for each in (where, where.split(".")[0]) if each in form.fields), None)
    if target is not None and "name" in refusal.params:
        refusal = Refusal(refusal.code, refusal.field, **(refusal.params | {"name": form[target].label}))
    form.add_error(target, refusal.en if english else refusal.zh)


def _rows(given: QueryDict, inputs: tuple[Input, ...]) -> int:
    """Tell how many rows a list of things shows: all that are filled in, and room for more where it was asked for."""
    names = {each.name for each in inputs if each.inputs}
    filled = [
        int(parts[1]) + 1
        for key, value in given.items()
        if value
        and len(parts := key.split(".")) == 3
        and parts[0] in names
        and parts[1].isdecimal()
        and len(parts[1]) < 3
    ]
    wanted = given.get("rows", "")
    return min(MOST_ROWS, max([ROWS, *filled, int(wanted) if wanted.isdecimal() and len(wanted) < 3 else 0]))


def _offered(asked: Input, loaded: Loaded, *, english: bool) -> dict[str, list[tuple[str, str]]]:
    """Give what may be written into a field, with what it means, under its headings."""
    found: dict[str, list[tuple[str, str]]] = {}
    for each in asked.offers(loaded) if asked.offers else ():
        found.setdefault(each.under_en if english else each.under_zh, []).append(
            (each.value, each.en if english else each.zh)
        )
    return found


def _lists(inputs: tuple[Input, ...], loaded: Loaded, *, english: bool) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Give the lists that texts are proposed from while they are written, by the id a field names."""
    for each in inputs:
        if each.offers and not each.closed:
            yield (
                f"l-{each.name}",
                [pair for pairs in _offered(each, loaded, english=english).values() for pair in pairs],
            )
        yield from _lists(each.inputs, loaded, english=english)


def _form(given: QueryDict, inputs: tuple[Input, ...], rows: int, loaded: Loaded, *, english: bool) -> Question:
    form = Question(given if given else None, auto_id="f-%s", use_required_attribute=False)
    for each in inputs:
        if each.inputs:
            for number in range(rows):
                for part in each.inputs:
                    form.fields[f"{each.name}.{number}.{part.name}"] = _field(part, loaded, english=english)
        else:
            form.fields[each.name] = _field(each, loaded, english=english)
    form.fields["on"] = forms.CharField(
        label=_("按哪一天的法规"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text=_("不填：按事实发生之日；没有日期的按已录入的最新规定"),
    )
    return form


def _field(asked: Input, loaded: Loaded, *, english: bool) -> forms.Field:
    title = f"{asked.en[:1].upper()}{asked.en[1:]}" if english else asked.zh
    unit = asked.unit[1 if english else 0]
    label = (
        title
        if not unit or asked.kind in ("date", "instant") or asked.many
        else _("%(title)s（%(unit)s）") % {"title": title, "unit": unit}
    )
    needed = asked.required and not asked.nullable
    if asked.many:
        kind = _("一行一个") if asked.kind != "date" else _("一行一个，如 2024-03-01")
        return forms.CharField(label=label, required=needed, help_text=kind, widget=forms.Textarea(attrs={"rows": 4}))
    first = ("", _("请选择") if needed else _("未填"))
    if asked.closed:
        groups = _offered(asked, loaded, english=english).items()
        listed: list[Any] = [(under, pairs) for under, pairs in groups if under]
        listed += [pair for under, pairs in groups if not under for pair in pairs]
        return forms.ChoiceField(label=label, required=needed, choices=[first, *listed])
    if asked.kind in ("choice", "boolean"):
        options = [(str(each.value), each.en if english else each.zh) for each in asked.choices]
        if asked.kind == "boolean":
            options = [("true", _("是")), ("false", _("否"))]
        options = [(value, words or value) for value, words in options]
        return forms.ChoiceField(label=label, required=needed, choices=[first, *options])
    kinds = {"date": "date", "instant": "datetime-local"}
    attrs = {"type": kinds.get(asked.kind, "text"), "autocomplete": "off"}
    if asked.kind in ("integer", "number"):
        attrs["inputmode"] = "decimal"
    if asked.offers:
        attrs["list"] = f"l-{asked.name}"
    help_text = ""
    if asked.default is not None:
        help_text = _("不填按 %(value)s") % {"value": asked.default}
    return forms.CharField(label=label, required=needed, help_text=help_text, widget=forms.TextInput(attrs=attrs))


def _group(form: Question, asked: Input, rows: int, *, english: bool) -> Group:
    title = f"{asked.en[:1].upper()}{asked.en[1:]}" if english else asked.zh
    return Group(
        title,
        tuple(tuple(form[f"{asked.name}.{number}.{part.name}"] for part in asked.inputs) for number in range(rows)),
    )


def _given(given: QueryDict, inputs: tuple[Input, ...], rows: int) -> dict[str, Any]:
    """Turn what stands in the form into what a program would have sent; an empty field is not given."""
    made = {} if not given.get("on") else {"on": given["on"]}
    for each in inputs:
        if each.inputs:
            made[each.name] = [one for number in range(rows) if (one := dict(_row(given, each, number)))]
        elif (text := given.get(each.name, "").strip()) or (each.many and each.required):
            made[each.name] = _value(text, each)
    return made


def _row(given: QueryDict, asked: Input, number: int) -> Iterator[tuple[str, Any]]:
    for part in asked.inputs:
        if text := given.get(f"{asked.name}.{number}.{part.name}", "").strip():
            yield part.name, _value(text, part)


def _value(text: str, asked: Input) -> Any:
    if asked.many:
        return [_one(each, asked.kind) for each in _PARTS.split(text) if each]
    return _one(text, asked.kind)


def _one(text: str, kind: str) -> Any:
    truths = {"boolean": _TRUTHS, "integer": _WORDS}.get(kind, {})
    return truths.get(text.lower(), text)


def _shown(answered: Answer, form: Question, inputs: tuple[Input, ...], *, english: bool) -> dict[str, Any]:
    """Put an answer into words: facts of the outcome, reasons, sources with their certainty, and a citation to copy."""
    found, ruling = answered.rule, answered.ruling
    names = {each.name: each.en if english else each.zh for each in inputs}
    if ruling.outcome.get("decision") == CANNOT_JUDGE:
        facts = [Fact(_("结论"), _("无法判定"))]
        concluded = [str(_("无法判定"))]
    else:
        facts = [
            Fact(
                _title(found, name, english=english),
                words(
                    value if found.number else _rounded(value),
                    unit_of(name)[1 if english else 0],
                    names,
                    english=english,
                ),
            )
            for name, value in ruling.outcome.items()
        ]
        concluded = [f"{each.label} {each.value}" for each in facts]
    reasons = [each.en if english else each.zh for each in ruling.reasons]
    sources = [(each.citation, MARKS[each.certainty]) for each in ruling.sources]
    told = "; ".join(_told(form)) if english else "；".join(_told(form))
    cited = {
        "title": " ".join(filter(None, (found.number, found.en if english else found.zh))),
        "day": answered.as_of,
        "given": told or "—",
        "outcome": ("; " if english else "；").join(concluded),
        "reasons": ("; " if english else "；").join(reasons),
        "sources": (", " if english else "、").join(
            f"{each} ({mark})" if english else f"{each}（{mark}）" for each, mark in sources
        )
        or "—",
    }
    return {
        "facts": facts,
        "reasons": reasons,
        "sources": sources,
        "as_of": answered.as_of,
        "citation": "\n".join(line % cited for line in _citation()),
    }


def _citation() -> tuple[str, ...]:
    return (
        _("安办规则 %(title)s（依 %(day)s 有效的规定）"),
        _("事实：%(given)s"),
        _("结论：%(outcome)s"),
        _("理由：%(reasons)s"),
        _("依据：%(sources)s"),
    )


def _title(found: Rule, name: str, *, english: bool) -> str:
    zh, en = found.gives.get(name, (name, name))
    return f"{en[:1].upper()}{en[1:]}" if english else zh


def _told(form: Question) -> Iterator[str]:
    """Repeat the facts as they were filled in, with the words of a choice."""
    for bound in form:
        value = bound.value()
        if value and bound.name != "on":
            if isinstance(bound.field, forms.ChoiceField):
                value = _chosen(bound.field.widget.choices, value)
            elif bound.field.widget.attrs.get("type") == "datetime-local":
                value = value.replace("T", " ")
            yield f"{bound.label} {' '.join(str(value).split())}"


def _chosen(choices: Iterable[Any], value: str) -> str:
    """Give the words of a choice, which may stand under a heading."""
    for key, words_of in choices:
        if isinstance(words_of, list | tuple):
            found = dict(words_of).get(value)
            if found is not None:
                return str(found)
        elif key == value:
            return str(words_of)
    return value


def _rounded(value: object) -> object:
    """Give a statistic as floats, which `words` cuts to six digits: programs get them all, and no clause stands on the seventh."""
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    return float(value) if isinstance(value, Decimal) else value


def words(value: object, unit: str, names: Mapping[str, str], *, english: bool) -> str:
    """Put one value of an outcome into words."""
    if value is None:
        return "—"
    if isinstance(value, bool):
        return _("是") if value else _("否")
    if isinstance(value, Term):
        return value.en if english else value.zh
    if isinstance(value, int | Decimal):
        return f"{grouped(value)} {unit}".strip()
    if isinstance(value, float):
        return f"{grouped(round(Decimal(value), 1)) if abs(value) >= WHOLE else format(value, '.6g')} {unit}".strip()
    if isinstance(value, datetime):
        return value.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return " ".join(words(each, "", names, english=english) for each in value.values())
    if isinstance(value, list | tuple):
        shown = [words(each, "", names, english=english) for each in value[:SHOWN_ITEMS]]
        rest = len(value) - SHOWN_ITEMS
        return ("; " if english else "；").join([*shown, f"… +{rest}"] if rest > 0 else shown) or _("无")
    return names.get(str(value), str(value))
