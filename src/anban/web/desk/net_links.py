"""The templates of links: listed, and given out as a file that imports back."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import Final

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET

from anban.contexts.responsibility import queries
from anban.contexts.responsibility.chains import LINKS, MATTERS, NAMERS, STAMP
from anban.contexts.responsibility.exporters import export_link_templates
from anban.contexts.responsibility.wording import terms
from anban.contexts.territory.policies import SETTERS
from anban.contexts.territory.queries import settings_of
from anban.kit.clock import city_date
from anban.rules.hazard_terms import Grade
from anban.web.desk.net import href, side, tabs
from anban.web.shell.access import NET_READERS, actor_of, needs
from anban.web.shell.components import Action, Filter, FilterOption

CERTAINTY: Final = {
    "read": gettext_lazy("原文可查"), "practice": gettext_lazy("实务做法"), "estimate": gettext_lazy("估计"),
}  # fmt: skip


def _first_up(words: str) -> str:
    return words[:1].upper() + words[1:]


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
                    _first_up(MATTERS[row.matter][side()]) if row.matter else "",
                    classes.get(row.hazard_class, row.hazard_class),
                    words.get(f"kind:{row.place_kind}", (row.place_kind,) * 2)[side()] if row.place_kind else "",
                    _("检查表 %(code)s") % {"code": row.work} if row.work else "",
                    grades.get(row.grade, row.grade),
                ) if part) or _("全部"),
                "namer": _first_up(NAMERS[row.named_by][side()]), "from_on": row.from_on, "until_on": row.until_on, "basis": row.basis,
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
        "begin": Action(_("导入责任环节模板"), "/import/?kind=link-templates") if actor.has(*SETTERS) else None,
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
