"""The import (导入): choose files, match columns, look at what would happen, apply with progress; refused rows come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import tomli_w
from django import forms
from django.contrib import messages
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from anban.base.files import operations as files
from anban.base.files import queries as file_queries
from anban.base.files.disk import place as place_of_bytes
from anban.base.files.sniffing import TABLES
from anban.base.jobs import operations as jobs
from anban.base.jobs import queries as job_queries
from anban.base.jobs.queries import Progress
from anban.base.people.actor import Actor
from anban.contexts.accidents.importers import ACCIDENTS
from anban.contexts.establishments import policies
from anban.contexts.establishments.importers import TARGETS, read_mapping
from anban.contexts.establishments.importers.mapping import Mapping as ImportMapping
from anban.contexts.establishments.importers.reading import fit
from anban.contexts.establishments.importers.reading import wanted as wanted_columns
from anban.contexts.inspections.importers import families
from anban.contexts.oversight.importers import DUTIES
from anban.contexts.responsibility.importers import OFFICE_TABLES
from anban.contexts.risk.importers import EVENTS
from anban.kit.ids import id_from
from anban.kit.tabular import FileRefused, match_columns, read_tables
from anban.rules.errors import Refusal
from anban.web.desk.forms import Pictures
from anban.web.desk.wording import said
from anban.web.shell.access import OFFICES, actor_of, needs
from anban.web.shell.components import Action, Crumb, Step
from anban.web.shell.wording import in_english

FURTHER: Final = (ACCIDENTS, DUTIES, EVENTS, *OFFICE_TABLES)
"""Targets of contexts above the register: known to the wizard by being named here."""

LISTS: Final = {
    "places": "/places/", "visits": "/visits/", "hazards": "/ledger/", "mandates": "/net/mandates/",
    "bodies": "/people/", "link-templates": "/net/links/", "duties": "/oversight/duties/",
}  # fmt: skip
"""Where the rows of a target are listed once they are in."""

SALT: Final = "desk.import"
DAY_SECONDS: Final = 24 * 3600
SHOWN_PAST: Final = 20
SHOWN_PROBLEMS: Final = 50
JOBS: Final = ("import.preview", "import.apply")
FATES: Final = (
    ("new", gettext_lazy("新增")), ("changed", gettext_lazy("变更")), ("same", gettext_lazy("未变")),
    ("refused", gettext_lazy("退回")),
)  # fmt: skip
STAGES: Final = {
    "reading": gettext_lazy("读取"), "writing": gettext_lazy("写入"), "done": gettext_lazy("完成"),
    "deriving": gettext_lazy("推定历史"),
}  # fmt: skip
FATE_NAMES: Final = dict(FATES)


class FilesField(forms.FileField):
    """Several tables in one field."""

    widget = Pictures

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        """Return every file chosen."""
        listed = [one for one in (data if isinstance(data, list | tuple) else [data]) if one]
        if not listed:
            super().clean(None, initial)
            return []
        return [super(FilesField, self).clean(one, initial) for one in listed]


class ChooseForm(forms.Form):
    """The files, and what they are."""

    tables = FilesField(
        label=gettext_lazy("文件"), widget=Pictures(attrs={"accept": ".csv,.gz,.xlsx", "multiple": True}),
        help_text=gettext_lazy(".csv、.csv.gz 或 .xlsx，可以一次选几个。原文件会留存。"),
    )  # fmt: skip
    mapping = forms.ChoiceField(label=gettext_lazy("这是什么表"), required=False)

    def __init__(self, *args: Any, offered: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["mapping"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", _("按列名识别")), *offered]


@dataclass(frozen=True, slots=True)
class Kept:
    """A file that was stored for an import, under the name that its user gave it."""

    id: UUID
    name: str


def steps(now: int) -> tuple[Step, ...]:
    """Return the four steps with the one at hand marked."""
    names = (_("选择文件"), _("对应列"), _("预览"), _("导入"))
    return tuple(
        Step(name, "done" if n < now else "now" if n == now else "todo") for n, name in enumerate(names, start=1)
    )


def offered_to(actor: Actor) -> dict[str, list[ImportMapping]]:
    """Return the mappings that an actor may use: those of its own root, and for a steward the samples with a root of their own."""
    return {
        name: listed
        for name, listed in families().items()
        if (not listed[0].root or listed[0].root == actor.root or actor.has("steward"))
        and TARGETS[listed[0].target].may(actor)
    }


def title_of(name: str, listed: Sequence[ImportMapping]) -> str:
    """Return what a mapping, or a family of them, is called."""
    if len(listed) > 1:
        root: Mapping[str, Any] = next((m.prepare["root"] for m in listed if "root" in m.prepare), {})
        return str(root.get("name_en" if in_english() else "name", name))
    return (listed[0].title_en if in_english() else listed[0].title) or name


def _crumbs(*more: Crumb) -> tuple[Crumb, ...]:
    return (Crumb(_("导入"), "/import/"), *more)


@needs(*OFFICES)
@require_http_methods(["GET", "POST"])
def choose(request: HttpRequest) -> HttpResponse:
    """Take in the files of a new import, and list the past ones."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    allowed = policies.can_import(actor)
    known = offered_to(actor)
    offered = [(name, title_of(name, listed)) for name, listed in known.items()]
    sent = request.method == "POST" and allowed
    kind = request.GET.get("kind", "") if request.GET.get("kind", "") in known else ""
    form = ChooseForm(
        request.POST if sent else None, request.FILES if sent else None, offered=offered, initial={"mapping": kind}
    )
    if kind:
        form.fields["mapping"].help_text = _column_names(known[kind])
    if sent and form.is_valid():
        try:
            kept = [
                Kept(
                    files.store(
                        actor=actor,
                        at=at,
                        root=actor.root,
                        stream=one,
                        name=one.name or "",
                        limit=files.IMPORT_LIMIT,
                        accept=TABLES,
                    ).pk,
                    (one.name or "")[-120:],
                )
                for one in form.cleaned_data["tables"]
            ]
            name = form.cleaned_data["mapping"] or _recognised(actor, kept, known)
        except Refusal as refusal:
            form.add_error("tables", said(refusal))
        except FileRefused as refused:
            form.add_error("tables", refused.en if in_english() else refused.zh)
        else:
            if name:
                return redirect(f"/import/match/?{urlencode({'d': _sealed(actor, kept), 'm': name})}")
            form.add_error("mapping", _("按列名认不出这是什么表，请选一种，再逐列对应。"))
    past = [job for job in job_queries.jobs_for(actor, limit=200) if job.name == "import.apply"][:SHOWN_PAST]
    context = {
        "now": at, "form": form, "steps": steps(1), "allowed": allowed,
        "past": [_past(job, known) for job in past],
    }  # fmt: skip
    return render(request, "desk/import.html", context, status=422 if form.errors else 200)


def _column_names(listed: Sequence[ImportMapping]) -> str:
    """Return which columns a table of this kind has, those that it must have first."""
    columns = [column for one in listed for column in TARGETS[one.target].columns]
    names = [[c.en if in_english() else c.zh for c in columns if c.required is wanted] for wanted in (True, False)]
    joint = ", " if in_english() else "、"
    return _("必有的列：%(must)s；可有的列：%(may)s。") % {"must": joint.join(names[0]), "may": joint.join(names[1])}


def _past(job: Progress, known: Mapping[str, list[ImportMapping]]) -> dict[str, Any]:
    name = _mapping_name(str(job.args.get("mapping", "")))
    counts = job.result.get("counts", {})
    return {
        "href": f"/import/{job.id}/", "title": title_of(name, known[name]) if name in known else name,
        "files": "、".join(str(one["name"]) for one in job.args.get("files", ())), "asked_at": job.asked_at,
        "state": "done" if job.is_over and not job.failed else "open" if not job.failed else "cancelled",
        "state_text": job.state_text, "counts": [(str(label), counts.get(key)) for key, label in FATES] if counts else [],
    }  # fmt: skip


def _mapping_name(text: str) -> str:
    return read_mapping(text).name if "\n" in text else text


def _sealed(actor: Actor, kept: Sequence[Kept]) -> str:
    return signing.dumps(
        {"p": str(actor.person_id), "r": actor.root, "f": [[str(one.id), one.name] for one in kept]},
        salt=SALT,
        compress=True,
    )


def _unsealed(actor: Actor, text: str) -> list[Kept]:
    """Return the files that a signed text names; nobody else's, and none after a day."""
    try:
        found = signing.loads(text, salt=SALT, max_age=DAY_SECONDS)
    except signing.BadSignature as error:
        raise Http404 from error
    if (found["p"], found["r"]) != (str(actor.person_id), actor.root):
        raise Http404
    return [Kept(UUID(key), name) for key, name in found["f"]]


def _header(actor: Actor, one: Kept) -> tuple[str, ...]:
    """Return the header of a file's first table. Raises: FileRefused, file.not_found."""
    stored = file_queries.file(actor, one.id)
    for table in read_tables(place_of_bytes(stored.sha256), name=one.name):
        return table.header
    return ()


def _recognised(actor: Actor, kept: Sequence[Kept], known: Mapping[str, list[ImportMapping]]) -> str:
    """Return the mapping, or family, whose columns the files have most of; empty when none fits."""
    headers = [_header(actor, one) for one in kept]
    scores = {
        name: sum(max((fit(header, mapping) for mapping in listed), default=0) for header in headers)
        for name, listed in known.items()
    }
    own = {name: score for name, score in scores.items() if score > 0}
    # A list that is only compared has the same columns as the register: it is chosen by hand, never by guess.
    own.pop("places_match_only", None)
    return max(own, key=lambda name: (own[name], bool(known[name][0].root), name), default="")


# ── columns ────────────────────────────────────────────────────────────────────────────────────────────────────


@needs(*OFFICES)
@require_http_methods(["GET", "POST"])
def match(request: HttpRequest) -> HttpResponse:
    """Match the columns of the files, then ask for a look at what would happen."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    policies.require(policies.can_import(actor), "import.not_allowed")
    token, name = request.GET.get("d", ""), request.GET.get("m", "")
    kept, known = _unsealed(actor, token), offered_to(actor)
    listed = known.get(name)
    if listed is None:
        raise Http404
    headers = [(one, _header(actor, one)) for one in kept]
    plain = not listed[0].root and len(listed) == 1
    everywhere = list(dict.fromkeys(text for _one, header in headers for text in header if text))
    problem = ""
    if request.method == "POST":
        mapping = _own_mapping(actor, listed[0], everywhere, request.POST) if plain else name
        missing = _missing(read_mapping(mapping), headers) if plain else []
        if missing:
            problem = _("还缺必填的列：%(names)s") % {"names": "、".join(missing)}
        else:
            args = {
                "mapping": mapping, "at": at.isoformat(),
                "files": [{"id": str(one.id), "name": one.name} for one in kept],
            }  # fmt: skip
            job = jobs.enqueue("import.preview", actor=actor, at=at, args=args)
            return redirect(f"/import/{job.pk}/")
    context = {
        "now": at, "steps": steps(2), "title": title_of(name, listed), "plain": plain, "problem": problem,
        "files": [(one, header) for one, header in headers], "headers": everywhere,
        "columns": _columns(listed[0], everywhere, request.POST) if plain else (),
        "own_table": TARGETS[listed[0].target].own_table,
        "source": request.POST.get("source") or (listed[0].source_name_en if in_english() else listed[0].source_name),
        "recognised": [] if plain else [(one, _best(header, listed)) for one, header in headers],
        "root_name": title_of(name, listed) if listed[0].root else "", "crumbs": _crumbs(Crumb(_("对应列"))),
        "kinds": [(key, title_of(key, each), key == name) for key, each in known.items()], "token": token,
    }  # fmt: skip
    return render(request, "desk/import_match.html", context, status=422 if problem else 200)


def _best(header: Sequence[str], listed: Sequence[ImportMapping]) -> str:
    scored = [(fit(header, one), one) for one in listed]
    score, best = max(scored, key=lambda pair: pair[0])
    return ((best.title_en if in_english() else best.title) or best.name) if score else ""


def _columns(mapping: ImportMapping, everywhere: Sequence[str], given: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return each column that the target knows, with the header text that holds it: as chosen, or as its names say."""
    target = TARGETS[mapping.target]
    found = match_columns(everywhere, wanted_columns(mapping, target)).found
    english = in_english()
    return [
        {
            "field": column.field, "name": column.en if english else column.zh, "required": column.required,
            "chosen": given.get(f"c-{column.field}", "") if given else found.get(column.field, ""),
        }
        for column in target.columns
    ]  # fmt: skip


def _own_mapping(actor: Actor, mapping: ImportMapping, everywhere: Sequence[str], given: Mapping[str, str]) -> str:
    """Return the mapping as TOML with the columns that were chosen by hand; another name of the source is another source."""
    target = TARGETS[mapping.target]
    chosen = {c.field: given.get(f"c-{c.field}", "") for c in target.columns}
    columns = {name: [text] for name, text in chosen.items() if text in everywhere}
    source_name = given.get("source", "").strip()[:120]
    own = source_name and source_name not in {mapping.source_name, mapping.source_name_en}
    plain = {
        "name": mapping.name, "title": mapping.title, "title_en": mapping.title_en, "target": mapping.target,
        "source": f"list_{id_from('source', actor.root, source_name).hex[:12]}" if own else mapping.source,
        "source_name": source_name or mapping.source_name,
        "source_name_en": source_name if own else mapping.source_name_en,
        "own_names": False, "register": mapping.register, "numbers": mapping.numbers,
        "must_register": mapping.must_register, "historical": mapping.historical, "columns": columns,
        "date_serial": mapping.date_serial,
    }  # fmt: skip
    for key in ("requires", "attributes", "key", "match"):
        if getattr(mapping, key):
            plain[key] = list(getattr(mapping, key))
    for key in ("values", "constants", "options"):
        if getattr(mapping, key):
            plain[key] = {k: dict(v) if isinstance(v, Mapping) else v for k, v in getattr(mapping, key).items()}
    return tomli_w.dumps(plain)


def _missing(mapping: ImportMapping, headers: Sequence[tuple[Kept, Sequence[str]]]) -> list[str]:
    target = TARGETS[mapping.target]
    names = {c.field: c.en if in_english() else c.zh for c in target.columns}
    absent: list[str] = []
    for column in target.columns:
        held = mapping.columns.get(column.field, ())
        if (
            column.required
            and column.field not in mapping.constants
            and not any(set(held) & set(header) for _one, header in headers)
        ):
            absent.append(names[column.field])
    return absent


# ── one run ────────────────────────────────────────────────────────────────────────────────────────────────────


def run_or_404(actor: Actor, job_id: UUID) -> Progress:
    """Return an import of mine; what is not there and what is another's answer alike."""
    try:
        found = job_queries.job(actor, job_id)
    except Refusal as error:
        raise Http404 from error
    if found.name not in JOBS or found.root != actor.root:
        raise Http404
    return found


@needs(*OFFICES)
@require_GET
def run(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Show a preview or an import: how far it is, then what it found or did."""
    actor = actor_of(request)
    found = run_or_404(actor, job_id)
    applying = found.name == "import.apply"
    result = found.result
    known = offered_to(actor)
    name = _mapping_name(str(found.args.get("mapping", "")))
    parts = [_part(key, one, known) for key, one in result.get("mappings", {}).items()]
    counts = result.get("counts", {})
    context = {
        "now": request.at,  # type: ignore[attr-defined]
        "job": found, "applying": applying, "steps": steps(4 if applying else 3),
        "over": found.is_over, "parts": parts,
        "counts": [(key, str(label), _written(int(counts.get(key, 0)))) for key, label in FATES],
        "takes": int(counts.get("new", 0)) + int(counts.get("changed", 0)),
        "refused_files": list(enumerate(result.get("refused_files", ()))),
        "unknown": result.get("unknown_files", ()),
        "title": title_of(name, known[name]) if name in known else name,
        "files": [one["name"] for one in found.args.get("files", ())],
        "progress_text": _progress_text(found), "progress_max": found.total or 0,
        "again": Action(_("重新选择文件"), "/import/"), "kind": name if name in known else "",
        "listed": LISTS.get(known[name][0].target, "") if name in known and not known[name][0].root else "",
        "root_href": _root_href(name, known, actor) if applying else "",
        "crumbs": _crumbs(Crumb(_("导入") if applying else _("预览"))),
    }  # fmt: skip
    if request.headers.get("HX-Request"):
        return render(request, "desk/parts/import_progress.html", context)
    return render(request, "desk/import_run.html", context)


def _root_href(name: str, known: Mapping[str, list[ImportMapping]], actor: Actor) -> str:
    root = known[name][0].root if name in known else ""
    return f"/city/{root}/" if root and root != actor.root else ""


def _progress_text(job: Progress) -> str:
    stage = str(STAGES.get(job.stage, job.stage))
    if not job.done:
        return f"{job.state_text}" if not stage else f"{stage}"
    if job.total:
        return _("%(stage)s %(done)s / %(total)s 行") % {
            "stage": stage, "done": _written(job.done), "total": _written(job.total),
        }  # fmt: skip
    return _("%(stage)s %(done)s 行") % {"stage": stage, "done": _written(job.done)}


def _written(number: int) -> str:
    return f"{number:,}".replace(",", " ")


def _part(name: str, one: Mapping[str, Any], known: Mapping[str, list[ImportMapping]]) -> dict[str, Any]:
    """Return what one mapping of an import found, for its tables."""
    english = in_english()
    every = {m.name: m for listed in known.values() for m in listed}
    mapping = every.get(name)
    target = TARGETS.get(mapping.target) if mapping else None
    fields = {c.field: c.en if english else c.zh for c in target.columns} if target else {}
    samples = one.get("samples", ())
    shown = list(dict.fromkeys(key for sample in samples for key in sample["values"]))[:7]
    return {
        "title": ((mapping.title_en if english else mapping.title) or name) if mapping else name,
        "counts": [(str(label), _written(int(one["counts"].get(key, 0)))) for key, label in FATES],
        "problem_count": one.get("problem_count", 0),
        "problems": [
            {**problem, "text": problem["en"] if english else problem["zh"]}
            for problem in one.get("problems", ())[:SHOWN_PROBLEMS]
        ],
        "notes": [{**note, "text": note["en"] if english else note["zh"]} for note in one.get("notes", ())],
        "effects": [effect["en"] if english else effect["zh"] for effect in one.get("effects", ())],
        "heads": [fields.get(key, key) for key in shown],
        "samples": [
            (
                sample["row"],
                str(FATE_NAMES.get(sample["fate"], sample["fate"])),
                [sample["values"].get(key, "") for key in shown],
            )
            for sample in samples
        ],
        "several": len({(p["file"], p["sheet"]) for p in (*one.get("problems", ()), *one.get("notes", ()))}) > 1,
        "left_out": sorted({text for table in one.get("tables", ()) for text in table.get("left_out", ())}),
    }


@needs(*OFFICES)
@require_POST
def apply(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Take in what the preview showed."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    found = run_or_404(actor, job_id)
    if found.name != "import.preview" or not found.is_over or found.failed:
        raise Http404
    policies.require(policies.can_import(actor), "import.not_allowed")
    # The same preview is applied once, however often the button is pressed.
    job = jobs.enqueue(
        "import.apply", actor=actor, at=at, slot=f"preview {found.id}", args={**found.args, "at": at.isoformat()}
    )
    return redirect(f"/import/{job.pk}/")


@needs(*OFFICES)
@require_POST
def again(request: HttpRequest, job_id: UUID) -> HttpResponse:
    """Run a failed import again; what it took in before stays the same."""
    actor = actor_of(request)
    run_or_404(actor, job_id)
    jobs.ask_again(job_id, actor=actor, at=request.at)  # type: ignore[attr-defined]
    messages.success(request, _("已重新排队。"))
    return redirect(f"/import/{job_id}/")


@needs(*OFFICES)
@require_GET
def refused(request: HttpRequest, job_id: UUID, number: int) -> HttpResponseBase:
    """Send a file of refused rows, to be mended and imported again."""
    actor = actor_of(request)
    found = run_or_404(actor, job_id)
    listed = found.result.get("refused_files", ())
    if number >= len(listed):
        raise Http404
    stored = file_queries.file(actor, UUID(listed[number]["id"]))
    return FileResponse(file_queries.open_original(stored), as_attachment=True, filename=str(listed[number]["name"]))
