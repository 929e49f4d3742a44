"""The offices' own tables of the net: mandates, bodies and link templates, taken in by preview, refused rows handed back as a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core import signing
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from anban.base.files import operations as files
from anban.base.files import queries as file_queries
from anban.base.files.disk import place as place_of_bytes
from anban.base.files.sniffing import TABLES
from anban.base.people.actor import Actor
from anban.contexts.establishments.columns import Column
from anban.contexts.responsibility import importers, operations, queries
from anban.contexts.responsibility.chains import LINKS, MATTERS, NAMERS, STAMP
from anban.contexts.responsibility.columns import BODY_COLUMNS, MANDATE_COLUMNS, TEMPLATE_COLUMNS
from anban.contexts.responsibility.exporters import export_link_templates
from anban.contexts.responsibility.importers import TakenTable
from anban.contexts.responsibility.wording import terms
from anban.contexts.territory.policies import SETTERS
from anban.contexts.territory.queries import settings_of
from anban.kit.clock import city_date
from anban.kit.tabular import FileRefused
from anban.rules.errors import Refusal
from anban.rules.hazard_terms import Grade
from anban.web.desk.net import href, side, tabs
from anban.web.desk.wording import said
from anban.web.shell.access import NET_READERS, OFFICES, actor_of, needs
from anban.web.shell.components import Action, Crumb, Filter, FilterOption, Step
from anban.web.shell.wording import in_english

SALT: Final = "desk.net.tables"
DAY_SECONDS: Final = 24 * 3600
CERTAINTY: Final = {
    "read": gettext_lazy("原文可查"), "practice": gettext_lazy("实务做法"), "estimate": gettext_lazy("估计"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Office:
    """One table that an office keeps: how it is taken in, what it is called, its columns, and the page that lists it."""

    take_in: Callable[..., TakenTable]
    title: Any
    columns: Sequence[Column]
    notes: Any
    back: str
    looks_over: bool = False


KEPT: Final = {
    "mandates": Office(
        importers.take_in_mandates, gettext_lazy("导入职责表"), MANDATE_COLUMNS, gettext_lazy("导入后会出现的交叉"), "/net/mandates/",
        looks_over=True,
    ),
    "bodies": Office(importers.take_in_bodies, gettext_lazy("导入机构表"), BODY_COLUMNS, "", "/net/mandates/", looks_over=True),
    "links": Office(importers.take_in_link_templates, gettext_lazy("导入责任环节模板"), TEMPLATE_COLUMNS, "", "/net/links/"),
}  # fmt: skip
"""The tables by the word in their address."""


class TableForm(forms.Form):
    """One table."""

    table = forms.FileField(
        label=gettext_lazy("文件"), widget=forms.ClearableFileInput(attrs={"accept": ".csv,.gz,.xlsx"})
    )


@needs(*OFFICES)
@require_http_methods(["GET", "POST"])
def take_in(request: HttpRequest, table: str) -> HttpResponse:
    """Take in an office's table: first a look at what would happen, then the same file in earnest."""
    office, actor = KEPT[table], actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    form = TableForm(request.POST or None, request.FILES or None)
    names = [column.en if in_english() else column.zh for column in office.columns]
    form.fields["table"].help_text = _("列：%(names)s。先预览，再导入。") % {"names": "、".join(names)}
    looked: TakenTable | None = None
    sealed, done = request.POST.get("sealed", ""), request.GET.get("done", "")
    try:
        if sealed:
            key, name = _unseal(actor, sealed)
            taken = office.take_in(place_of_bytes(key), actor=actor, at=at, name=name)
            counts = taken.as_json()
            if office.looks_over and counts["new"] + counts["changed"]:
                operations.look_over(actor=actor, at=at)
            messages.success(
                request, _("已导入：新增 %(new)s，变更 %(changed)s，未变 %(same)s，退回 %(refused)s。") % counts
            )
            return redirect(href(request.path, done=sealed) if counts["refused"] else office.back)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data["table"]
            stored = files.store(actor=actor, at=at, root=actor.root, stream=given, name=given.name or "", limit=files.IMPORT_LIMIT, accept=TABLES)  # fmt: skip
            key, name = file_queries.file(actor, stored.pk).sha256, (given.name or "")[-120:]
            sealed = signing.dumps([str(actor.person_id), actor.root, key, name], salt=SALT)
            looked = office.take_in(place_of_bytes(key), actor=actor, at=at, dry=True, name=name)
        elif done:
            key, name = _unseal(actor, done)
            looked = office.take_in(place_of_bytes(key), actor=actor, at=at, dry=True, name=name)
    except FileRefused as refused:
        form.add_error(None, refused.en if in_english() else refused.zh)
    except Refusal as refusal:
        form.add_error(None, said(refusal))
    steps = (
        Step(_("选择文件"), "now" if looked is None else "done"),
        Step(_("预览"), "todo" if looked is None else "done" if done else "now"),
        Step(_("导入"), "done" if done else "todo"),
    )
    token = sealed or done
    context = {
        "form": form,
        "title": office.title,
        "steps": steps,
        "looked": looked,
        "counts": [(label, looked.as_json()[key]) for key, label in (("new", _("新增")), ("changed", _("变更")), ("same", _("未变")), ("refused", _("退回")))] if looked else (),
        "problems": [(one.row, one.column, one.en if in_english() else one.zh) for one in looked.problems] if looked else (),
        "more": looked.problem_count - len(looked.problems) if looked else 0,
        "notes": [(one.row, one.column, one.en if in_english() else one.zh) for one in looked.notes] if looked else (),
        "notes_title": office.notes,
        "sealed": sealed,
        "again": request.path,
        "back": office.back,
        "refused": [(kind, href(f"{request.path}refused/", sealed=token, form=kind)) for kind in ("xlsx", "csv")] if looked and looked.counts["refused"] else (),
        "crumbs": (Crumb(_("监管责任"), "/net/"), *_way(table), Crumb(str(office.title))),
    }  # fmt: skip
    return render(request, "desk/net_import.html", context, status=422 if form.errors else 200)


def _way(table: str) -> tuple[Crumb, ...]:
    return (Crumb(_("责任环节"), "/net/links/"),) if table == "links" else (Crumb(_("职责表"), "/net/mandates/"),)


@needs(*OFFICES)
@require_GET
def refused(request: HttpRequest, table: str) -> HttpResponseBase:
    """Give the rows of a looked-at file that were refused, each with its reason, to be mended and taken in again."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    key, name = _unseal(actor, request.GET.get("sealed", ""))
    kind = "csv" if request.GET.get("form") == "csv" else "xlsx"
    with TemporaryDirectory() as folder:
        wanted = Path(folder) / f"refused.{kind}"
        taken = KEPT[table].take_in(place_of_bytes(key), actor=actor, at=at, dry=True, name=name, refused=wanted)
        if not taken.refused_files:
            raise Http404
        first = taken.refused_files[0]
        out = BytesIO(first.read_bytes())
    return FileResponse(out, as_attachment=True, filename=f"{table}-refused{first.suffix}")


def _unseal(actor: Actor, text: str) -> tuple[str, str]:
    """Return the stored bytes and the name of a file that this person looked at within the last day."""
    try:
        person, root, key, name = signing.loads(text, salt=SALT, max_age=DAY_SECONDS)
    except (signing.BadSignature, ValueError) as error:
        raise Http404 from error
    if (person, root) != (str(actor.person_id), actor.root):
        raise Http404
    return str(key), str(name)


# The templates of links


@needs(*NET_READERS)
@require_GET
def links(request: HttpRequest) -> HttpResponse:
    """List which links the chains of matters must have, and who must name the person; no secret among officials."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    on = city_date(at, actor.zone)
    kept = {key: request.GET.get(key, "") for key in ("role", "class")}
    words = terms(actor.root)
    classes = {key.removeprefix("class:"): names[side()] for key, names in words.items() if key.startswith("class:")}
    grades = {one.value: (one.zh, one.en)[side()] for one in Grade}
    found = [
        row
        for row in queries.link_templates(actor.root)
        if row.holds_on(on)
        and kept["role"] in ("", row.role)
        and (not kept["class"] or row.hazard_class in ("", kept["class"]))
    ]

    def option(key: str, value: str, label: str) -> FilterOption:
        chosen = kept[key] == value
        return FilterOption(label, href("/net/links/", **{**kept, key: "" if chosen else value}), selected=chosen)

    def chip(key: str, label: str, options: dict[str, str]) -> Filter:
        listed = tuple(option(key, code, name) for code, name in options.items())
        return Filter(label, listed, clear_href=href("/net/links/", **{**kept, key: ""}))

    order = list(LINKS)
    context = {
        "tabs": tabs(actor, "links"),
        "rows": [
            {
                "link": LINKS[row.role][side()],
                "what": " · ".join(part for part in (
                    MATTERS[row.matter][side()] if row.matter else "",
                    classes.get(row.hazard_class, row.hazard_class),
                    words.get(f"kind:{row.place_kind}", (row.place_kind,) * 2)[side()] if row.place_kind else "",
                    _("检查表 %(code)s") % {"code": row.work} if row.work else "",
                    grades.get(row.grade, row.grade),
                ) if part) or _("全部"),
                "namer": NAMERS[row.named_by][side()], "from_on": row.from_on, "until_on": row.until_on, "basis": row.basis,
                "certainty": CERTAINTY.get(row.certainty, row.certainty),
            }
            for row in sorted(found, key=lambda row: (order.index(row.role), row.hazard_class, row.place_kind, row.work))
        ],
        "filters": (
            chip("role", _("环节"), {code: names[side()] for code, names in LINKS.items()}),
            chip("class", _("隐患类别"), classes),
        ),
        "count": ngettext("%(n)s 条", "%(n)s 条", len(found)) % {"n": len(found)},
        "own": STAMP in settings_of(actor.root),
        "exports": [(form, href("/net/links/export/", form=form)) for form in ("xlsx", "csv")],
        "begin": Action(_("导入责任环节模板"), "/net/links/import/") if actor.has(*SETTERS) else None,
    }  # fmt: skip
    return render(request, "desk/net_links.html", context)


@needs(*NET_READERS)
@require_GET
def links_export(request: HttpRequest) -> HttpResponseBase:
    """Give out the templates of links as a workbook or text that imports back unchanged."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    kind = "csv" if request.GET.get("form") == "csv" else "xlsx"
    out = BytesIO()
    export_link_templates(actor=actor, at=at, out=out, form=kind, words=True)  # type: ignore[arg-type]
    out.seek(0)
    return FileResponse(out, as_attachment=True, filename=f"link-templates-{city_date(at, actor.zone)}.{kind}")
