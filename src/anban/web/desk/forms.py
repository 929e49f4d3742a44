"""Forms of the desk: what a step of the lifecycle table needs becomes fields, and photos survive a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from anban.rules.errors import Refusal
from anban.rules.hazard_lifecycle import Action, Listing, Step
from anban.web.desk.wording import HELP, need_name, said, term, verdict_name

PHOTOS: Final = {"photo_before": "before", "photo_after": "after"}
"""The facts that are photos, and the purpose under which they are attached."""

LONG: Final = frozenset(
    {
        "reason", "opinion", "measures", "interim_control", "goals", "methods", "people", "emergency_plan", "report",
        "left_over", "note", "notice", "measure", "cause", "lasting_measure", "found", "funds",
    }
)  # fmt: skip
SHORT: Final = frozenset({"basis", "clause", "document_number", "assessor", "experts"})
PERSONS: Final = frozenset({"second_person", "leader"})
CONSENTS: Final = {
    "listing_consent": gettext_lazy("挂牌单位已书面同意"),
    "legal_review": gettext_lazy("已经法制审核并集体讨论"),
}
ON_SITE: Final = frozenset({Action.REVIEW, Action.ACCEPT, Action.FIX_ON_SPOT, Action.REPORT_GONE})
"""What can be proved by having been there; with it the page records a visit."""

WELCOME: Final[Mapping[Action, tuple[str, ...]]] = {
    Action.VERIFY: ("photo_before",),
    Action.ORDER: ("photo_before",),
    Action.ADVISE: ("photo_before",),
    Action.FIX_ON_SPOT: ("photo_before", "photo_after"),
    Action.APPLY_REVIEW: ("photo_after",),
    Action.APPLY: ("photo_after",),
    Action.REPORT_GONE: ("photo_after",),
    Action.REVIEW: ("photo_after",),
    Action.ACCEPT: ("photo_after",),
    Action.PROGRESS: ("photo_after",),
    Action.SELF_ASSESS: ("photo_after",),
}
"""Photos that a step takes without asking for them."""

SALT: Final = "desk.photos"


class Pictures(forms.ClearableFileInput):
    """A box for several photos; a phone offers its camera."""

    allow_multiple_selected = True
    template_name = "django/forms/widgets/file.html"


class PicturesField(forms.FileField):
    """Several photos in one field."""

    widget = Pictures

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        """Return every file chosen, in the order chosen."""
        listed = [each for each in (data if isinstance(data, list | tuple) else [data]) if each]
        if not listed:
            super().clean(None, initial)
            return []
        return [super(PicturesField, self).clean(each, initial) for each in listed]


class Suggested(forms.TextInput):
    """A line of text with texts to choose from; anything else may be written as well."""

    template_name = "desk/parts/suggested.html"

    def __init__(self, suggestions: Sequence[str]) -> None:
        super().__init__()
        self.suggestions = suggestions

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """Add the list, named after the box."""
        made = super().get_context(name, value, {**(attrs or {}), "list": f"list-{name}", "autocomplete": "off"})
        return {**made, "list_id": f"list-{name}", "suggestions": self.suggestions}


def pictures_field(need: str, *, required: bool) -> PicturesField:
    """Return the field for the photos of a need."""
    return PicturesField(
        label=need_name(need),
        help_text=str(HELP.get(need, "")),
        required=required,
        widget=Pictures(attrs={"accept": "image/jpeg,image/png,image/webp", "multiple": True}),
    )


def seal(kept: Mapping[str, Sequence[UUID]], person: object) -> str:
    """Return the photos already taken in as a signed text that a form carries; it is worth nothing to anybody else."""
    return signing.dumps({"p": str(person), "f": {key: [str(i) for i in ids] for key, ids in kept.items()}}, salt=SALT)


def unseal(text: str, person: object) -> dict[str, list[UUID]]:
    """Return the photos that a signed text names; nothing where it was altered, is a day old or is another person's."""
    try:
        found = signing.loads(text, salt=SALT, max_age=24 * 3600)
    except signing.BadSignature:
        return {}
    if found.get("p") != str(person):
        return {}
    return {key: [UUID(i) for i in ids] for key, ids in found["f"].items()}


def carry(form: forms.Form, name: str, value: str) -> None:
    """Put a value into what a bound form was sent, for showing it again."""
    data: Any = form.data
    data = data.copy()
    data[name] = value
    form.data = data


@dataclass(frozen=True, slots=True)
class Asked:
    """What a form has to offer: bodies by area, colleagues, other hazards, terms, and what is known already."""

    step: Step
    today: date
    listed: bool = False
    on_site: bool = False
    """Whether this actor can claim to have been there (an official, not the firm)."""
    lasting: bool = False
    have: frozenset[str] = frozenset()
    """Photos that this cycle has already."""
    bodies: Sequence[tuple[str, Sequence[tuple[str, str]]]] = ()
    colleagues: Sequence[tuple[str, str]] = ()
    leaders: Sequence[tuple[str, str]] = ()
    others: Sequence[tuple[str, str]] = ()
    terms: Sequence[tuple[str, str]] = ()
    clauses: Sequence[str] = ()
    """Items of the judgement standards in force when it was found, to choose from or to write otherwise."""
    initial: Mapping[str, Any] = field(default_factory=dict)

    @property
    def needs(self) -> tuple[str, ...]:
        """Return every fact the step asks for now."""
        return (*self.step.needs, *(self.step.needs_if_listed if self.listed else ()))


class ActionForm(forms.Form):
    """One action of the lifecycle table, asked for field by field."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    kept = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self, *args: Any, asked: Asked, kept: Mapping[str, Sequence[UUID]] | None = None, **kwargs: Any
    ) -> None:
        self.asked = asked
        self.taken = {key: list(ids) for key, ids in (kept or {}).items()}
        kwargs.setdefault("initial", dict(asked.initial))
        super().__init__(*args, **kwargs)
        if asked.step.choices:
            self.fields["verdict"] = forms.ChoiceField(
                label=need_name("verdict"),
                choices=[(v, verdict_name(v)) for v in asked.step.choices],
                widget=forms.RadioSelect,
            )
        if asked.on_site and asked.step.action in ON_SITE:
            self.fields["on_site"] = self._on_site()
        for need in asked.needs:
            if need != "on_site":
                self.fields.update(self._fields(need))
        for need in WELCOME.get(asked.step.action, ()):
            if need not in self.fields:
                self.fields[need] = pictures_field(need, required=False)
        for need in self._optional():
            self.fields.update(self._fields(need, required=False))
        for field_of in self.fields.values():
            chosen = isinstance(field_of, forms.ChoiceField | forms.MultipleChoiceField)
            field_of.error_messages["required"] = _("请选择。") if chosen else _("请填写。")

    def _on_site(self) -> forms.Field:
        if "on_site" in self.asked.needs:
            return forms.BooleanField(label=_("我在现场核验过，记一次检查"))
        return forms.ChoiceField(
            label=need_name("on_site"),
            choices=[("yes", _("到了现场，记一次检查")), ("no", _("没到现场，凭照片或说明"))],
            widget=forms.RadioSelect,
        )

    def _optional(self) -> tuple[str, ...]:
        action = self.asked.step.action
        if action is Action.ORDER and self.asked.lasting:
            return ("cause", "lasting_measure")
        return ("yuan",) if action is Action.SIMPLE_PENALTY else ()

    def _fields(self, need: str, *, required: bool = True) -> dict[str, forms.Field]:
        told: dict[str, Any] = {"label": need_name(need), "help_text": str(HELP.get(need, "")), "required": required}
        asked = self.asked
        if need in PHOTOS:
            return {need: pictures_field(need, required=need not in asked.have and not self.taken.get(need))}
        if need in CONSENTS:
            return {need: forms.BooleanField(**{**told, "label": CONSENTS[need]})}
        if need == "due_on":
            box = forms.DateInput(attrs={"type": "date", "min": asked.today.isoformat()})
            if not asked.terms:
                return {need: forms.DateField(**told, widget=box)}
            choice = forms.ChoiceField(
                label=need_name("term"), choices=asked.terms, widget=forms.RadioSelect, initial="7"
            )
            return {
                "term": choice,
                need: forms.DateField(**{**told, "required": False, "label": _("另定的日期")}, widget=box),
            }
        if need == "body":
            return {need: forms.ChoiceField(**told, choices=[("", _("请选择")), *asked.bodies])}
        if need == "bodies":
            flat = [pair for _area, pairs in asked.bodies for pair in pairs]
            return {need: forms.MultipleChoiceField(**told, choices=flat, widget=forms.CheckboxSelectMultiple)}
        if need in PERSONS:
            people = asked.colleagues if need == "second_person" else asked.leaders
            return {need: forms.ChoiceField(**told, choices=[("", _("请选择")), *people])}
        if need == "into":
            return {need: forms.ChoiceField(**told, choices=[("", _("请选择")), *asked.others])}
        if need == "level":
            levels = [(each.value, term(each)) for each in (Listing.DISTRICT, Listing.CITY)]
            return {need: forms.ChoiceField(**told, choices=levels, widget=forms.RadioSelect)}
        if need == "yuan":
            return {need: forms.DecimalField(**told, min_value=0, max_digits=12, decimal_places=2)}
        if need == "clause" and asked.clauses:
            return {need: forms.CharField(**told, max_length=300, widget=Suggested(asked.clauses))}
        if need in SHORT:
            return {need: forms.CharField(**told, max_length=300)}
        return {need: forms.CharField(**told, max_length=5000, widget=forms.Textarea)}

    def clean(self) -> dict[str, Any]:
        """Turn a term of days into its date."""
        cleaned = dict(super().clean() or {})
        chosen = cleaned.get("term")
        if chosen == "other" and not cleaned.get("due_on") and "due_on" not in self.errors:
            self.add_error("due_on", _("请写明日期。"))
        elif chosen and chosen != "other":
            cleaned["due_on"] = self.asked.today + timedelta(days=int(chosen))
        return cleaned

    @property
    def was_there(self) -> bool:
        """Tell whether the actor says to have been on site."""
        return self.cleaned_data.get("on_site") in (True, "yes")

    @property
    def verdict(self) -> str | None:
        """Return the verdict chosen, None where there is no choice."""
        return self.cleaned_data.get("verdict") or None

    def uploads(self) -> dict[str, list[UploadedFile[Any]]]:
        """Return the photos chosen in this sending, by need; a faulty field does not lose the photos of another."""
        return {need: found for need in PHOTOS if (found := self.cleaned_data.get(need))}

    def given(self) -> dict[str, Any]:
        """Return the facts as the operation takes them: ids as ids, days as days, photos as a mark that there are some."""
        made: dict[str, Any] = {}
        for name, value in self.cleaned_data.items():
            if name in {"version", "kept", "verdict", "term", "on_site"} or value in (None, "", []):
                continue
            if name in PHOTOS:
                made[name] = True
            elif name in {"body", "into", *PERSONS}:
                made[name] = UUID(value)
            elif name == "bodies":
                made[name] = [UUID(each) for each in value]
            elif name == "yuan":
                made[name] = str(value)
            else:
                made[name] = value
        made.update({need: True for need, ids in self.taken.items() if ids})
        return made

    def keep(self, person: object) -> None:
        """Carry the photos taken in so far in the form that is shown again."""
        if any(self.taken.values()):
            carry(self, "kept", seal(self.taken, person))
            for need, ids in self.taken.items():
                if ids and need in self.fields:
                    self.fields[need].required = False
                    self[need].help_text = _("已收到 %(n)s 张照片，不用再传。") % {"n": len(ids)}

    def look_again(self, version: int) -> None:
        """Carry the version that the actor has now been told of, so that one more press acts on what is there."""
        carry(self, "version", str(version))

    def refuse(self, refusal: Refusal) -> None:
        """Show a refusal beside the field it concerns, or at the head of the form."""
        where = refusal.field if refusal.field in self.fields else None
        self.add_error(where, said(refusal))


def grouped(rows: Iterable[tuple[str, str, str]]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return (group, value, label) rows as the groups of a select box, in their order."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for group, value, text in rows:
        groups.setdefault(group, []).append((value, text))
    return list(groups.items())
