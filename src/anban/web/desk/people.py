"""People and posts: who holds what, who is missing, and whose account it is."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from anban.base.people import operations as accounts
from anban.base.people import policies as people_policies
from anban.base.people import queries as persons
from anban.contexts.catalog import queries as catalog
from anban.contexts.catalog.data.tables import body_kinds
from anban.contexts.catalog.data.tables import roles as role_rows
from anban.contexts.responsibility.exporters import export_bodies
from anban.contexts.territory import operations, policies, queries
from anban.kit.clock import city_date, now
from anban.rules.errors import Refusal
from anban.web.shell.access import OFFICES, actor_of, needs
from anban.web.shell.components import Crumb, Filter, FilterOption
from anban.web.shell.wording import in_english

ARRANGING: Final = (*OFFICES, "security_admin")
PER_PAGE: Final = 50
FOUND_MOST: Final = 20


def role_names() -> dict[str, str]:
    """Return the roles' names by code, in the reader's language."""
    english = in_english()
    return {row.code: row.en if english else row.zh for row in role_rows()}


def said(refusal: Refusal) -> str:
    """Return a refusal in the reader's language."""
    return refusal.en if in_english() else refusal.zh


class AppointForm(forms.Form):
    """Whom to appoint to a post: somebody on file, or somebody new."""

    person = forms.ChoiceField(label=gettext_lazy("人员"), required=False)
    name = forms.CharField(label=gettext_lazy("新人员姓名"), max_length=80, required=False)
    phone = forms.CharField(label=gettext_lazy("电话"), max_length=30, required=False)
    from_on = forms.DateField(label=gettext_lazy("任职日期"), widget=forms.DateInput(attrs={"type": "date"}))
    deputy = forms.BooleanField(label=gettext_lazy("代理（A 岗不在时代行）"), required=False)
    certificate = forms.CharField(label=gettext_lazy("行政执法证号"), max_length=40, required=False)

    def clean(self) -> dict[str, Any]:
        """Ask for exactly one of the two."""
        cleaned = dict(super().clean() or {})
        if bool(cleaned.get("person")) == bool((cleaned.get("name") or "").strip()):
            self.add_error("name", _("请选择已有人员，或填写新人员姓名，二者选一。"))
        return cleaned


class EndForm(forms.Form):
    """The first day on which a post is no longer held."""

    until_on = forms.DateField(label=gettext_lazy("离任日期"), widget=forms.DateInput(attrs={"type": "date"}))


class AccountForm(forms.Form):
    """The login of a new account."""

    login = forms.CharField(
        label=gettext_lazy("账号名"),
        max_length=80,
        help_text=gettext_lazy("字母、数字、点、横线、下划线；以后不能更改。"),
    )


class PostForm(forms.Form):
    """A new post at a body."""

    body = forms.ChoiceField(label=gettext_lazy("机构"))
    role = forms.ChoiceField(label=gettext_lazy("角色"))
    sector = forms.ChoiceField(label=gettext_lazy("行业"), required=False)
    title = forms.CharField(label=gettext_lazy("岗位名称"), max_length=80, required=False)


@needs(*ARRANGING)
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """List the posts of my areas, vacant ones first, with their holders and deputies."""
    actor = actor_of(request)
    on = city_date(now(), actor.zone)
    role, area, only = (request.GET.get(key, "") for key in ("role", "area", "only"))
    districts = {
        row.path: row.name_en if in_english() else row.name
        for row in queries.areas(actor).filter(level__in=("district", "street"))
        if row.level == "district" or (area and row.path.startswith("/".join(area.split("/")[:2]) + "/"))
    }
    rows = queries.post_list(actor, on, area_path=area if area in districts else "", role=role, vacant=only == "vacant")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    held: dict[UUID, list[Any]] = {}
    for holding in queries.holders([row.pk for row in page], on):
        held.setdefault(holding.post_id, []).append(holding)
    names = role_names()

    def href(**changed: str) -> str:
        kept = {key: value for key, value in {"role": role, "area": area, "only": only, **changed}.items() if value}
        return f"/people/?{urlencode(kept)}" if kept else "/people/"

    def choice(key: str, value: str, label: str, now_chosen: str) -> FilterOption:
        chosen = now_chosen == value
        return FilterOption(label, href(**{key: "" if chosen else value}), selected=chosen)

    filters = (
        Filter(_("地区"), tuple(choice("area", path, label, area) for path, label in districts.items()), clear_href=href(area="")),
        Filter(_("角色"), tuple(choice("role", code, label, role) for code, label in names.items()), clear_href=href(role="")),
        Filter(_("空缺"), (choice("only", "vacant", _("只看空缺"), only),), clear_href=href(only="")),
    )  # fmt: skip
    total = page.paginator.count
    return render(
        request,
        "desk/people.html",
        {
            "rows": [(row, names.get(row.role, row.role), held.get(row.pk, [])) for row in page],
            "page": page,
            "imports": actor.has(*OFFICES),
            "exports": [(form, f"/people/bodies/export/?form={form}") for form in ("xlsx", "csv")],
            "filters": filters,
            "count": ngettext("%(n)s 个岗位", "%(n)s 个岗位", total) % {"n": total},
            "earlier": href(page=str(page.previous_page_number())) if page.has_previous() else "",
            "later": href(page=str(page.next_page_number())) if page.has_next() else "",
            "english": in_english(),
            "found": _found(request),
            "q": request.GET.get("person", ""),
        },
    )


def _found(request: HttpRequest) -> list[Any] | None:
    text = request.GET.get("person", "").strip()
    return list(queries.persons_within(actor_of(request)).filter(name__icontains=text)[:FOUND_MOST]) if text else None


def _post(request: HttpRequest, post_id: UUID) -> Any:
    found = queries.post(actor_of(request), post_id)
    if found is None:
        raise Http404
    return found


def _people_choices(request: HttpRequest) -> list[tuple[str, str]]:
    listed = queries.persons_within(actor_of(request)).exclude(name="")[:500]
    return [("", "—"), *((str(row.pk), f"{row.name}　{row.phone[-4:]}" if row.phone else row.name) for row in listed)]


@needs(*ARRANGING)
@require_http_methods(["GET", "POST"])
def post(request: HttpRequest, post_id: UUID) -> HttpResponse:
    """Show one post and its holders; appoint somebody."""
    actor = actor_of(request)
    row = _post(request, post_id)
    at = now()
    on = city_date(at, actor.zone)
    form = AppointForm(request.POST or None, initial={"from_on": on.isoformat()})
    choices = _people_choices(request)
    form.fields["person"].choices = choices  # type: ignore[attr-defined]
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                _appoint(request, row, form.cleaned_data)
            except Refusal as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, said(refusal))
            else:
                messages.success(request, _("已任命。"))
                return redirect(f"/people/posts/{post_id}/")
    return render(
        request,
        "desk/post.html",
        {
            "post": row,
            "role": role_names().get(row.role, row.role),
            "holders": list(queries.holders([row.pk], on)),
            "may": policies.can_arrange(actor, row.area.path),
            "form": form,
            "end_form": EndForm(initial={"until_on": on.isoformat()}),
            "english": in_english(),
            "crumbs": (Crumb(_("人员与岗位"), "/people/"), Crumb(role_names().get(row.role, row.role))),
        },
        status=status,
    )


def _appoint(request: HttpRequest, row: Any, given: dict[str, Any]) -> None:
    """Put the person on file where it is new, and appoint; both or neither."""
    actor, at = actor_of(request), now()
    if given["person"]:
        person = persons.person(actor, UUID(given["person"]))
        if person is None:
            raise Http404
        operations.appoint(
            actor=actor, at=at, post=row, person=person, from_on=given["from_on"], deputy=given["deputy"],
            certificate=given["certificate"],
        )  # fmt: skip
        return
    operations.appoint_new(
        actor=actor, at=at, post=row, name=given["name"], phone=given["phone"], from_on=given["from_on"],
        deputy=given["deputy"], certificate=given["certificate"],
    )  # fmt: skip


@needs(*ARRANGING)
@require_POST
def end_holding(request: HttpRequest, post_id: UUID, holding_id: UUID) -> HttpResponse:
    """End a person's holding of a post."""
    actor = actor_of(request)
    row = _post(request, post_id)
    at = now()
    holding = queries.holders([row.pk], city_date(at, actor.zone)).filter(pk=holding_id).first()
    form = EndForm(request.POST)
    if holding is None:
        raise Http404
    if not form.is_valid():
        messages.error(request, _("请填写离任日期。"))
        return redirect(f"/people/posts/{post_id}/")
    operations.leave(actor=actor, at=at, holding=holding, until_on=form.cleaned_data["until_on"])
    messages.success(request, _("任职已结束。其未办结的事项仍在本人名下，须移交并由接收人签收。"))
    return redirect(f"/people/posts/{post_id}/")


@needs(*ARRANGING)
@require_http_methods(["GET", "POST"])
def new_post(request: HttpRequest) -> HttpResponse:
    """Create a post at a body of my areas."""
    actor = actor_of(request)
    on = city_date(now(), actor.zone)
    covered = {row.pk for row in queries.areas(actor)}
    bodies = {str(row.pk): row for row in queries.bodies(actor.root) if row.area_id in covered}
    english = in_english()
    form = PostForm(request.POST or None)
    choices = {
        "body": [(key, row.name_en if english else row.name) for key, row in bodies.items()],
        "role": [(code, name) for code, name in role_names().items() if code != "enterprise_manager"],
        "sector": [("", "—"), *((s.code, s.en if english else s.zh) for s in catalog.sectors(actor.root, on))],
    }
    for key, options in choices.items():
        form.fields[key].choices = options  # type: ignore[attr-defined]
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            body = bodies[form.cleaned_data["body"]]
            try:
                made = operations.add_post(
                    actor=actor, at=now(), body=body, role=form.cleaned_data["role"], area=body.area,
                    sector=form.cleaned_data["sector"], title=form.cleaned_data["title"],
                )  # fmt: skip
            except Refusal as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, said(refusal))
            else:
                return redirect(f"/people/posts/{made.pk}/")
    crumbs = (Crumb(_("人员与岗位"), "/people/"), Crumb(_("新建岗位")))
    return render(request, "desk/post_new.html", {"form": form, "crumbs": crumbs, "any": bool(bodies)}, status=status)


class BodyForm(forms.Form):
    """A new body: what it is, what it is called, and where."""

    kind = forms.ChoiceField(label=gettext_lazy("机构类型"))
    name = forms.CharField(label=gettext_lazy("名称"), max_length=120)
    name_en = forms.CharField(label=gettext_lazy("英文名"), max_length=160, required=False)
    area = forms.ChoiceField(label=gettext_lazy("地区"))
    from_on = forms.DateField(
        label=gettext_lazy("设立日期"), widget=forms.DateInput(attrs={"type": "date"}), required=False
    )


@needs(*ARRANGING)
@require_GET
def bodies_export(request: HttpRequest) -> HttpResponseBase:
    """Give out the bodies as a workbook or text that imports back unchanged."""
    actor, at = actor_of(request), now()
    kind = "csv" if request.GET.get("form") == "csv" else "xlsx"
    out = BytesIO()
    export_bodies(actor=actor, at=at, out=out, form=kind, words=True)  # type: ignore[arg-type]
    out.seek(0)
    return FileResponse(out, as_attachment=True, filename=f"bodies-{city_date(at, actor.zone)}.{kind}")


@needs(*ARRANGING)
@require_http_methods(["GET", "POST"])
def new_body(request: HttpRequest) -> HttpResponse:
    """Put a body of my areas on file, so that it can hold posts and duties."""
    actor = actor_of(request)
    english = in_english()
    rows = queries.areas(actor).exclude(level="community")
    areas = {row.code: row for row in rows if policies.can_arrange(actor, row.path)}
    kinds = {row.code: row for row in body_kinds()}
    form = BodyForm(request.POST or None, initial={"from_on": city_date(now(), actor.zone).isoformat()})
    form.fields["kind"].choices = [(code, row.en if english else row.zh) for code, row in kinds.items()]  # type: ignore[attr-defined]
    form.fields["area"].choices = [(code, row.name_en if english else row.name) for code, row in areas.items()]  # type: ignore[attr-defined]
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            given = form.cleaned_data
            area = areas[given["area"]]
            try:
                body = operations.add_body(
                    actor=actor, at=now(), area=area, code=queries.free_body_code(actor.root, given["kind"], area.code),
                    kind=given["kind"], name=given["name"], name_en=given["name_en"] or given["name"],
                    sector=kinds[given["kind"]].sector, from_on=given["from_on"],
                )  # fmt: skip
            except Refusal as refusal:
                form.add_error(refusal.field if refusal.field in form.fields else None, said(refusal))
            else:
                messages.success(
                    request, _("机构“%(name)s”已建立，代码 %(code)s。") % {"name": body.name, "code": body.code}
                )
                return redirect("/people/posts/new/")
    crumbs = (Crumb(_("人员与岗位"), "/people/"), Crumb(_("新建机构")))
    return render(request, "desk/body_new.html", {"form": form, "crumbs": crumbs, "any": bool(areas)}, status=status)


@needs(*ARRANGING)
@require_GET
def person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Show a person: posts held, and for keepers of accounts the accounts."""
    return _person_page(request, person_id)


def _person_page(
    request: HttpRequest, person_id: UUID, form: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    actor = actor_of(request)
    row = persons.person(actor, person_id)
    if row is None:
        raise Http404
    at = now()
    keeps = people_policies.can_keep_accounts(actor)
    if not (keeps or person_id == actor.person_id or queries.persons_within(actor).filter(pk=person_id).exists()):
        raise Http404
    # A name and telephone are read here: who read them stays on record.
    accounts.note_access(actor=actor, at=at, what="person.read", subject=str(row.pk), rows=1)
    names = role_names()
    fresh = request.session.pop("fresh_setup", None)
    link = request.build_absolute_uri(f"/set-up/{fresh[1]}/") if fresh and fresh[0] == str(person_id) else ""
    return render(
        request,
        "desk/person.html",
        {
            "person": row,
            "holdings": [(h, names.get(h.post.role, h.post.role)) for h in queries.all_holdings(person_id)],
            "on": city_date(at, actor.zone),
            "accounts": list(persons.accounts(actor).filter(person_id=person_id)) if keeps else [],
            "keeps": keeps,
            "resets": actor.has("security_admin"),
            "own": actor.account_id,
            "form": form or AccountForm(),
            "link": link,
            "english": in_english(),
            "crumbs": (Crumb(_("人员与岗位"), "/people/"), Crumb(row.name or "—")),
        },
        status=status,
    )


@needs(*sorted(people_policies.KEEPERS))
@require_POST
def open_account(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Open an account for a person; the set-up link is shown once on the page that follows."""
    actor = actor_of(request)
    row = persons.person(actor, person_id)
    if row is None:
        raise Http404
    form = AccountForm(request.POST)
    if not form.is_valid():
        return _person_page(request, person_id, form, 422)
    try:
        _account, token = accounts.open_account(actor=actor, at=now(), person=row, login=form.cleaned_data["login"])
    except Refusal as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, said(refusal))
        return _person_page(request, person_id, form, 422)
    request.session["fresh_setup"] = [str(person_id), token]
    return redirect(f"/people/persons/{person_id}/")


@needs(*sorted(people_policies.KEEPERS))
@require_POST
def change_account(request: HttpRequest, account_id: UUID, step: str) -> HttpResponse:
    """Disable or enable an account, make a new set-up link, or unbind a lost authenticator."""
    actor, at = actor_of(request), now()
    account = persons.accounts(actor).filter(pk=account_id).first()
    if account is None:
        raise Http404
    if step == "disable":
        accounts.disable_account(actor=actor, at=at, account=account)
        messages.success(request, _("账号已停用，其登录和令牌立即失效。"))
    elif step == "enable":
        accounts.enable_account(actor=actor, at=at, account=account)
        messages.success(request, _("账号已恢复。"))
    elif step == "set-up":
        token = accounts.reissue_setup(actor=actor, at=at, account=account)
        request.session["fresh_setup"] = [str(account.person_id), token]
    elif step == "reset-factor":
        accounts.reset_factor(actor=actor, at=at, account=account)
        messages.success(request, _("第二因素已重置，下次登录时重新绑定。"))
    else:
        raise Http404
    return redirect(f"/people/persons/{account.person_id}/")


@needs("audit_admin")
@require_GET
def access_log(request: HttpRequest) -> HttpResponse:
    """List who read personal data and who exported what, newest first."""
    page = Paginator(persons.access_records(actor_of(request)), PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "desk/access_log.html",
        {
            "page": page,
            "earlier": f"/access-log/?page={page.previous_page_number()}" if page.has_previous() else "",
            "later": f"/access-log/?page={page.next_page_number()}" if page.has_next() else "",
        },
    )
