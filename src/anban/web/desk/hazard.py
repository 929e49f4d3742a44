"""One hazard: what it is, whose it is, by when, what can be done now, and everything that happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from anban.base.files import operations as files
from anban.base.files import queries as file_queries
from anban.base.files.sniffing import PICTURES
from anban.base.journal.operations import unit
from anban.base.people import operations as people
from anban.base.people import queries as people_queries
from anban.base.people.actor import Actor
from anban.contexts.catalog import queries as catalog
from anban.contexts.hazards import operations, ordering, queries
from anban.contexts.hazards.chains import chained, demanded
from anban.contexts.hazards.queries import Dossier, Filters
from anban.contexts.inspections.operations import review_on_site
from anban.contexts.oversight.policies import can_oversee
from anban.contexts.responsibility.queries import link_templates
from anban.contexts.territory import queries as territory
from anban.kit.clock import city_date
from anban.rules import clocks, law, major_criteria
from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action as Act
from anban.rules.hazard_lifecycle import Clock, Grade, Listing, State, Track, step
from anban.web.desk import wording
from anban.web.desk.forms import PHOTOS, ActionForm, Asked, grouped, unseal
from anban.web.desk.ledger import address, formatted, is_empty, parsed
from anban.web.desk.links import missing_link, naming_page
from anban.web.shell.access import EVERYBODY, OFFICIALS, actor_of, needs
from anban.web.shell.components import Action, ChainLink, Crumb, Deadline, Fact, Photo, Tone
from anban.web.shell.wording import day_words, in_english, local_day

SIZES: Final = {"thumb": 160, "large": 1280}
QUIET: Final = frozenset({Act.SECURE, Act.ESCALATE_MEASURE})
SHOWN_BUTTONS: Final = 3


def found_or_404(actor: Actor, hazard_id: UUID) -> Any:
    """Return one hazard of the actor's scope; what is not there and what may not be seen answer alike."""
    try:
        return queries.hazard(actor, hazard_id)
    except ObjectDoesNotExist as error:
        raise Http404 from error


@needs(*EVERYBODY)
@require_GET
def hazard(request: HttpRequest, hazard_id: UUID) -> HttpResponse:
    """Show one hazard with all it carries."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    try:
        found = queries.dossier(actor, hazard_id)
    except ObjectDoesNotExist as error:
        raise Http404 from error
    row = found.hazard
    today = city_date(at, actor.zone)
    filters = parsed(request.GET)
    pictures = file_queries.attachments(row.pk)
    names = _names(found, pictures)
    people.note_access(actor=actor, at=at, what="hazard", subject=row.number, rows=1)
    near = ordering.neighbours if filters.sort else queries.neighbours
    alone = is_empty(filters) and not filters.sort
    newer, older = (None, None) if alone else near(actor, filters, at=at, key=row.pk)
    query = formatted(filters)
    context = {
        "now": at,
        "row": row,
        "state_name": wording.state_name(row.state, row.chain),
        "deadline": _deadline(row, found.cycles, at),
        "grade": row.grade,
        "place_facts": _place_line(actor, row, found.cycles, today),
        "watch": _watch(row, today),
        "interim": _interim(row),
        "chain": _chain(found, at, actor),
        "buttons": _buttons(row, found.actions),
        "pressing": _pressing(actor, row),
        "before": _photos(row.pk, pictures, "before", row.cycle_no),
        "after": _photos(row.pk, pictures, "after", row.cycle_no),
        "facts": _facts(actor, row),
        "papers": [(_paper_name(p), p) for p in found.papers],
        "measures": found.measures,
        "voices": [(wording.origin_name(v.origin), v) for v in found.voices],
        "duties": [duty for duty in _duties(found, actor, at) if duty["state"] == "open"],
        "past_duties": [duty for duty in _duties(found, actor, at) if duty["state"] != "open"],
        "cycles": _cycles(found, pictures, today),
        "entries": wording.timeline(
            found.timeline, names, today=today,
            cycle_notes={c.no: wording.outcome_words(c.outcome, c.proof, c.ended_on, today) for c in found.cycles},
        ),
        "position": found.timeline[-1].position if found.timeline else None,
        "newer": f"/ledger/{newer}/?{query}" if newer else "",
        "older": f"/ledger/{older}/?{query}" if older else "",
        "crumbs": (
            Crumb(_("我的待办"), "/") if request.GET.get("from") == "desk" else Crumb(_("台账"), address(filters)),
            Crumb(row.number),
        ),
        "joined": row.joined_to,
        "position_text": str(found.timeline[-1].position) if found.timeline else "",
    }  # fmt: skip
    return render(request, "desk/hazard.html", context)


def _names(found: Dossier, pictures: Sequence[file_queries.Attached]) -> wording.Names:
    """Load what the timeline's ids stand for: persons and bodies in one query each."""
    bodies = wording.bodies_in(found.timeline)
    by_hash: dict[str, list[Photo]] = {}
    for each in pictures:
        if each.is_picture:
            by_hash.setdefault(each.sha256, []).append(_photo(found.hazard.pk, each))
    return wording.Names(
        persons=people_queries.names_of(wording.persons_in(found.timeline)),
        bodies={
            b.pk: b.name_en if in_english() else b.name
            for b in territory.bodies(found.hazard.root).filter(pk__in=bodies)
        }
        if bodies
        else {},
        units={link.person_id: link.unit_name for link in reversed(found.links)},
        photos=by_hash,
    )


def _deadline(row: Any, cycles: Sequence[Any], now: datetime) -> Deadline:
    """Return the term and what became of it: done in time or late is kept for ever."""
    ended = cycles[-1].ended_at if cycles and not row.is_open else None
    return Deadline(row.due_at, now, ended, row.provisional)


def _place_line(actor: Actor, row: Any, cycles: Sequence[Any], today: date) -> dict[str, Any]:
    english = in_english()
    named = territory.area_names(row.root, [row.area_path])
    parts = [p for p in row.area_path.split("/") if p]
    above = ["/".join(parts[:n]) + "/" for n in range(2, min(len(parts), 4) + 1)]
    kind = catalog.place_kinds(actor.root).filter(code=row.place_kind).first() if row.place_kind else None
    back = ""
    if row.rebound_no:
        first = cycles[0]
        ended = wording.outcome_words(first.outcome, first.proof, first.ended_on, today)
        back = wording.rebound_words(row.rebound_no)
        back += _("（首轮 %(ended)s）") % {"ended": ended} if ended else ""
    return {
        "area": " ".join(named[p][1 if english else 0] for p in above if p in named),
        "kind": (kind.en if english else kind.zh) if kind else row.place_kind,
        "round": _("第 %(n)s 轮") % {"n": row.cycle_no} if row.cycle_no > 1 else "",
        "back": back,
        "listing": wording.term(Listing(row.listing)) if row.listing != Listing.NOT_LISTED.value else "",
    }


def _watch(row: Any, today: date) -> str:
    """Return the watch (观察期) while it runs; it ends by itself."""
    if row.watch_until is None or not clocks.on_watch(today, row.watch_until):
        return ""
    return _("观察期至 %(day)s") % {"day": day_words(row.watch_until - timedelta(days=1), today, weekday=False)}


def _interim(row: Any) -> dict[str, str] | None:
    """Return the banner of interim control: for all but general ones until judged and treated (先管住、再判定)."""
    grade = Grade(row.grade)
    if not row.is_open or (grade is Grade.GENERAL and not row.secured and not row.interim_control):
        return None
    title = {
        Grade.SUSPECTED_MAJOR: _("疑似重大隐患：判定前先按重大管控"),
        Grade.MAJOR: _("重大事故隐患：治理完成前持续管控"),
        Grade.UNDETERMINED: _("等级未定：判定前先按重大管控"),
        Grade.GENERAL: _("临时管控中"),
    }[grade]
    text = row.interim_control or _("还没有写明临时管控措施，请属地或行业部门先落实。")
    return {"title": title, "text": text, "secured": _("已采取现场处置措施。") if row.secured else ""}


def _chain(found: Dossier, at: datetime, actor: Actor) -> tuple[ChainLink, ...]:
    """Return the chain of this cycle; a role that nobody holds says who must name the person."""
    row = found.hazard
    standing: dict[str, list[Any]] = {}
    for link in found.links:
        if link.cycle_no == row.cycle_no and link.until_at is None:
            standing.setdefault(link.role, []).append(link)
    roles = [(role, str(duty), str(missing)) for role, duty, missing in wording.CHAIN_DUTIES]
    if "case_leader" in standing:
        roles.append(("case_leader", _("包案"), ""))
    late = {o.person_id for o in found.obligations if o.state == "open" and o.due_at and o.due_at < at}
    made = []
    for role, duty, missing in roles:
        links = standing.get(role, [])
        overdue = _("有逾期待办") if any(each.person_id in late for each in links) else ""
        made.append(
            ChainLink(
                duty,
                links[0].unit_name if links else "",
                tuple(dict.fromkeys(each.person.name or _("（姓名已删除）") for each in links)),
                waiting=overdue if links else missing if row.is_open and not row.historical else "",
            )
        )
    owed = {one.kind: one for one in found.obligations if one.state == "open"}
    shown = {role: number for number, (role, *_rest) in enumerate(roles)}
    for needed in demanded(row, link_templates(row.root)) if not row.historical else ():
        one = missing_link(
            needed, standing.get(needed.stored, []), owed.get(needed.duty), actor, at, f"/ledger/{row.pk}/links/",
            is_open=row.is_open,
        )  # fmt: skip
        if needed.stored not in shown:
            made.append(one)
        elif one.waiting and needed.duty in owed:
            # It stands in its own place already: there everybody reads who must name somebody, and that person gets the way.
            made[shown[needed.stored]] = replace(made[shown[needed.stored]], waiting=one.waiting, href=one.href)
    return tuple(made)


@needs(*EVERYBODY)
@require_http_methods(["GET", "POST"])
def name_link(request: HttpRequest, hazard_id: UUID, role: str) -> HttpResponse:
    """Name the person of a link that the hazard's chain lacks, as whoever owes it."""
    row = found_or_404(actor_of(request), hazard_id)
    return naming_page(
        request, role, matter=chained(row), back=f"/ledger/{row.pk}/",
        do=lambda **given: operations.name_link(hazard_id=row.pk, **given),
        crumbs=(Crumb(_("台账"), "/ledger/"), Crumb(row.number, f"/ledger/{row.pk}/")),
        facts=(Fact(_("隐患"), row.fact), Fact(_("所在场所"), row.place_title)),
    )  # fmt: skip


def _buttons(row: Any, actions: Sequence[Act]) -> tuple[Action, ...]:
    """Return only what this actor may press, the most likely next thing first."""
    made = []
    for number, act in enumerate(wording.in_order(actions)):
        if act is Act.REBOUND:
            href = f"/report/?place={row.place_id}&code={row.code}&part={row.part}"
            made.append(Action(wording.term(act), href))
            continue
        found = step(State(row.state), act)
        tone = Tone.PRIMARY if number == 0 and not found.parallel else Tone.DANGER if act in QUIET else Tone.PLAIN
        made.append(Action(wording.action_name(found), f"/ledger/{row.pk}/{act.value}/", tone))
    return tuple(made)


def _pressing(actor: Actor, row: Any) -> tuple[Action, ...]:
    """Return what the committee's office may press with: a paper, or a case for a failure of duty."""
    if row.historical or not can_oversee(actor, row.area_path):
        return ()
    return (
        Action(_("发文"), f"/oversight/instruments/new/hazard/{row.pk}/", Tone.QUIET),
        Action(_("失职问责"), f"/oversight/sanctions/new/{row.pk}/", Tone.QUIET),
    )


def _photo(hazard_id: UUID, each: file_queries.Attached) -> Photo:
    base = f"/files/{hazard_id}/{each.id}"
    kind = _("整改前") if each.purpose == "before" else _("整改后") if each.purpose == "after" else _("附件")
    note = _("相机记录 %(when)s") % {"when": each.claims_taken_at} if each.claims_taken_at else ""
    return Photo(f"{base}/thumb/", f"{base}/large/", f"{kind} {each.name}".strip(), each.attached_at, note)


def _photos(hazard_id: UUID, pictures: Sequence[file_queries.Attached], purpose: str, cycle_no: int) -> list[Photo]:
    return [_photo(hazard_id, p) for p in pictures if p.purpose == purpose and p.cycle_no == cycle_no and p.is_picture]


def _facts(actor: Actor, row: Any) -> list[Fact]:
    english = in_english()
    item = catalog.hazard_codes(row.root).filter(code=row.code).first() if row.code else None
    klass = catalog.hazard_classes(row.root).filter(code=row.class_code).first()
    listed = [
        Fact(_("部位"), row.part),
        Fact(_("检查项"), f"{row.code} {(item.en if english else item.zh) if item else ''}".strip()),
        Fact(_("类别"), (klass.en if english else klass.zh) if klass else row.class_code),
        Fact(_("依据"), row.basis or (item.basis if item else "")),
        Fact(_("来源"), wording.origin_name(row.origin), note=row.origin_ref),
        Fact(_("发现"), wording.full_day(row.found_on), note=row.finder.name),
        Fact(_("上账"), wording.full_day(row.entered_at)),
        Fact(_("轨道"), wording.term(Track(row.track)) if row.track else ""),
        Fact(_("现承办"), f"{row.holder_body.name if row.holder_body else ''} {row.holder.name}".strip()),
        Fact(_("已移交"), _("%(body)s，待签收") % {"body": row.sent_to_body.name} if row.sent_to_body else ""),
        Fact(_("责令机关"), row.ordering_body.name if row.ordering_body else ""),
        Fact(_("危及生命"), _("是") if row.life_at_risk else ""),
        Fact(_("销号依据"), wording.proof_name(row.proof)),
    ]
    del actor
    return [fact for fact in listed if fact.value]


def _paper_name(paper: Any) -> str:
    try:
        return wording.term(Act(paper.kind))
    except ValueError:
        return str(paper.kind)


def _duties(found: Dossier, actor: Actor, at: datetime) -> list[dict[str, Any]]:
    return [
        {
            "verb": wording.duty_name(o.kind),
            "person": o.person.name,
            "unit": o.unit_name,
            "deadline": Deadline(o.due_at, at, o.ended_at, o.provisional),
            "state": o.state,
            "mine": o.state == "open" and o.person_id == actor.person_id,
            "id": o.pk,
            "rule": wording.rule_words(o.source_rule),
            "steps": len(o.steps.all()),
        }
        for o in sorted(found.obligations, key=lambda o: (o.state != "open", o.due_at or at))
    ]


def _cycles(found: Dossier, pictures: Sequence[file_queries.Attached], today: date) -> list[dict[str, Any]]:
    """Return the earlier cycles, folded, each as it was when it closed."""
    return [
        {
            "no": c.no,
            "ended": wording.outcome_words(c.outcome, c.proof, c.ended_on, today),
            "found_on": c.found_on,
            "ended_on": c.ended_on,
            "late": c.late,
            "due": c.due_at,
            "reviews": c.reviews,
            "rectifier": c.rectifier.name if c.rectifier else "",
            "acceptor": c.acceptor.name if c.acceptor else "",
            "cause": c.cause,
            "inferred": c.inferred,
            "before": _photos(found.hazard.pk, pictures, "before", c.no),
            "after": _photos(found.hazard.pk, pictures, "after", c.no),
        }
        for c in found.cycles
        if c.no != found.hazard.cycle_no
    ]


# ── doing something ────────────────────────────────────────────────────────────────────────────────────────────


@needs(*EVERYBODY)
@require_http_methods(["GET", "POST"])
def act(request: HttpRequest, hazard_id: UUID, action: str) -> HttpResponse:
    """Ask for what an action needs and do it; a refusal stands beside its field and nothing typed is lost."""
    actor = actor_of(request)
    at: datetime = request.at  # type: ignore[attr-defined]
    row = found_or_404(actor, hazard_id)
    if action not in Act._value2member_map_:
        raise Http404
    wanted = Act(action)
    if wanted is Act.REBOUND:
        return redirect(f"/report/?place={row.place_id}&code={row.code}&part={row.part}")
    allowed = queries.actions(actor, row)
    if wanted not in allowed:
        return _refused(request, row, wanted, allowed)
    asked = _asked(actor, row, wanted, at)
    if request.method != "POST":
        return _form_page(request, row, asked, ActionForm(asked=asked), 200)
    kept = unseal(request.POST.get("kept", ""), actor.person_id)
    form = ActionForm(request.POST, request.FILES, asked=asked, kept=kept)
    form.is_valid()
    try:
        _take_in(actor, at, row.root, form)
        if not form.errors:
            _do(actor, at, row, wanted, form)
            return _done(request, row, asked)
    except Refusal as refusal:
        form.refuse(refusal)
        if refusal.code == "hazard.changed_meanwhile":
            form.look_again(found_or_404(actor, hazard_id).version)
            form.keep(actor.person_id)
            return _form_page(request, row, asked, form, 409)
    form.keep(actor.person_id)
    return _form_page(request, row, asked, form, 422)


def _take_in(actor: Actor, at: datetime, root: str, form: ActionForm) -> None:
    """Keep the photos before anything else: hashing stays outside the transaction, and a refusal does not lose them."""
    for need, uploads in form.uploads().items():
        for upload in uploads:
            try:
                stored = files.store(
                    actor=actor, at=at, root=root, stream=upload, name=upload.name or "", accept=PICTURES
                )
            except Refusal as refusal:
                form.add_error(need, f"{upload.name}：{wording.said(refusal)}")
            else:
                form.taken.setdefault(need, []).append(stored.pk)


def _do(actor: Actor, at: datetime, row: Any, wanted: Act, form: ActionForm) -> None:
    """Attach the photos and act, both or neither."""
    with unit():
        for need, ids in form.taken.items():
            for file_id in ids:
                files.attach(
                    actor=actor, at=at, file=file_id, matter_kind="hazard", matter_id=row.pk, cycle_no=row.cycle_no,
                    purpose=PHOTOS[need],
                )  # fmt: skip
        version = form.cleaned_data.get("version")
        if form.was_there:
            review_on_site(
                actor=actor, at=at, hazard_id=row.pk, action=wanted, verdict=form.verdict, given=form.given(),
                version=version,
            )  # fmt: skip
        else:
            operations.act(
                actor=actor, at=at, hazard_id=row.pk, action=wanted, verdict=form.verdict, given=form.given(),
                version=version,
            )  # fmt: skip


def _done(request: HttpRequest, row: Any, asked: Asked) -> HttpResponse:
    messages.success(request, _("已办理：%(verb)s。") % {"verb": wording.action_name(asked.step)})
    target = f"/ledger/{row.pk}/"
    if request.headers.get("HX-Request"):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = target
        return response
    return redirect(target)


def _form_page(request: HttpRequest, row: Any, asked: Asked, form: ActionForm, status: int) -> HttpResponse:
    found = asked.step
    context = {
        "now": request.at,  # type: ignore[attr-defined]
        "row": row,
        "form": form,
        "title": wording.action_name(found),
        # The names of papers and laws are Chinese law; there is no English of them to show.
        "paper": "" if in_english() else found.paper,
        "basis": "" if in_english() else found.basis,
        "clock": wording.term(found.clock) if isinstance(found.clock, Clock) else "",
        "state_name": wording.state_name(row.state, row.chain),
        "address": f"/ledger/{row.pk}/{found.action.value}/",
        "changed": status == 409,
        "crumbs": (
            Crumb(_("台账"), "/ledger/"),
            Crumb(row.number, f"/ledger/{row.pk}/"),
            Crumb(wording.action_name(found)),
        ),
    }
    partial = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    return render(request, "desk/parts/hazard_form.html" if partial else "desk/hazard_act.html", context, status=status)


def _refused(request: HttpRequest, row: Any, wanted: Act, allowed: Sequence[Act]) -> HttpResponse:
    """Say why this cannot be done now, who may, and what can be done instead."""
    try:
        found = step(State(row.state), wanted)
        who = "、".join(wording.term(role) for role in sorted(found.roles))
        text = _("您不是这一步的办理人，或这条隐患现在不能%(verb)s。") % {"verb": wording.action_name(found)}
    except Refusal as refusal:
        who, text = "", wording.said(refusal)
    context = {
        "row": row, "text": text, "who": who, "back": Action(_("回到这条隐患"), f"/ledger/{row.pk}/"),
        "title": wording.term(wanted), "now": request.at, "can": bool(allowed),  # type: ignore[attr-defined]
        "crumbs": (Crumb(_("台账"), "/ledger/"), Crumb(row.number, f"/ledger/{row.pk}/"), Crumb(wording.term(wanted))),
    }  # fmt: skip
    partial = "desk/parts/hazard_refused.html" if request.headers.get("HX-Request") else "desk/hazard_refused.html"
    return render(request, partial, context, status=422)


def _clauses(row: Any) -> list[str]:
    """Return the items of every standard that was in force, with its text loaded, on the day of the finding."""
    known = territory.criteria(row.root)
    current = [major_criteria.in_force(kind, row.found_on, known) for kind in major_criteria.kinds(known)]
    return [
        f"《{each.law}》{item.clause}　{item.zh}"[:300] for each in current if each is not None for item in each.items
    ]


def _asked(actor: Actor, row: Any, wanted: Act, at: datetime) -> Asked:
    """Load what the form of an action has to offer, and nothing that it doesn't ask for."""
    found = step(State(row.state), wanted)
    listed = Listing(row.listing).is_listed
    needed = {*found.needs, *(found.needs_if_listed if listed else ())}
    today = city_date(at, actor.zone)
    english = in_english()
    pictures = file_queries.attachments(row.pk, purposes=PHOTOS.values())
    bodies: list[tuple[str, list[tuple[str, str]]]] = []
    if needed & {"body", "bodies"}:
        bodies = grouped(
            (b.area.name_en if english else b.area.name, str(b.pk), b.name_en if english else b.name)
            for b in territory.bodies_over(row.root, row.area_path)
        )
    colleagues: list[tuple[str, str]] = []
    if "second_person" in needed:
        listed_people = {
            str(h.person_id): f"{h.person.name}　{h.post.body.name}" for h in territory.colleagues(actor, today)
        }
        colleagues = list(listed_people.items())
    leaders = []
    if "leader" in needed:
        holders = territory.holders_of_role(row.root, "leader_viewer", row.area_path, today)
        leaders = list({str(h.person_id): f"{h.person.name}　{h.post.body.name}" for h in holders}.items())
    others = []
    if "into" in needed:
        listed_rows, _next = queries.page(actor, Filters(place=row.place_id, open_only=True), at=at, size=100)
        others = [(str(o.pk), f"{o.number}　{o.fact[:40]}") for o in listed_rows if o.pk != row.pk]
    terms: list[tuple[str, str]] = []
    if wanted is Act.ORDER:
        overrides = {k: int(v) for k, v in territory.settings_of(row.root).items() if k in set(law.overridable())}
        days = clocks.default_terms(on=today, overrides=overrides)
        terms = wording.terms_offered(days, lambda n: day_words(today + timedelta(days=n), today))
    return Asked(
        step=found,
        today=today,
        clauses=_clauses(row) if wanted is Act.JUDGE else (),
        listed=listed,
        on_site=actor.has(*OFFICIALS),
        lasting=row.rebound_no >= 1,
        have=frozenset(
            need for need, purpose in PHOTOS.items()
            if any(p.purpose == purpose and p.cycle_no == row.cycle_no for p in pictures)
        ),
        bodies=bodies,
        colleagues=colleagues,
        leaders=leaders,
        others=others,
        terms=terms,
        initial={
            "version": row.version, "basis": row.basis, "interim_control": row.interim_control,
            "due_on": row.extension_wanted_on if wanted is Act.EXTEND else _later(row, wanted),
            **({"term": "7"} if terms else {}),
        },
    )  # fmt: skip


def _later(row: Any, wanted: Act) -> date | None:
    return local_day(row.due_at) if wanted is Act.APPROVE_PLAN and row.due_at else None


# ── photos ─────────────────────────────────────────────────────────────────────────────────────────────────────


@needs(*EVERYBODY)
@require_GET
def photo(request: HttpRequest, hazard_id: UUID, attachment_id: UUID, size: str) -> HttpResponseBase:
    """Send a photo of a hazard in my scope: small, large, or the original as it came."""
    actor = actor_of(request)
    found_or_404(actor, hazard_id)
    attached = next((a for a in file_queries.attachments(hazard_id) if a.id == attachment_id), None)
    if attached is None or size not in (*SIZES, "original"):
        raise Http404
    stored = file_queries.file(actor, attached.file_id)
    if size == "original" or not attached.is_picture:
        response: HttpResponseBase = FileResponse(file_queries.open_original(stored), content_type=attached.mime)
        response["Content-Disposition"] = f'attachment; filename="{attached.sha256[:12]}"'
    else:
        response = FileResponse(file_queries.open_derived(stored, SIZES[size]), content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=3600"
    return response
