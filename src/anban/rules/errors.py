"""Refusals: the one family of named errors with which the domain says no, in Chinese and English."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from datetime import date

_CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


@dataclass(frozen=True, slots=True)
class Message:
    """The two texts of one refusal, with `{placeholders}` for its parameters."""

    code: str
    zh: str
    en: str

    @property
    def fields(self) -> frozenset[str]:
        """This property will name the parameters that either text uses."""
        return _placeholders(self.zh) | _placeholders(self.en)


def _placeholders(text: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name)


_MESSAGES: dict[str, Message] = {}


def register(code: str, *, zh: str, en: str) -> str:
    """This function will enter a refusal code with its texts and give the code back, so that it can be a constant.

    A parameter that is a word comes twice, as `name_zh` and `name_en`. Registering the same texts twice changes nothing.
    Raises: ValueError for a code that is not dotted snake case, texts with different placeholders, or a second meaning.
    """
    message = Message(code, zh, en)
    if not _CODE.fullmatch(code):
        raise ValueError(f"refusal code {code!r} is not dotted snake case")
    if {each.removesuffix("_zh") for each in _placeholders(zh)} != {
        each.removesuffix("_en") for each in _placeholders(en)
    }:
        raise ValueError(f"the texts of {code!r} use different placeholders")
    known = _MESSAGES.get(code)
    if known is not None and known != message:
        raise ValueError(f"refusal code {code!r} already has another meaning")
    _MESSAGES[code] = message
    return code


def all_codes() -> dict[str, Message]:
    """This function will give every registered refusal by code, in alphabetical order."""
    return dict(sorted(_MESSAGES.items()))


class Refusal(Exception):
    """The domain says no: a registered `code`, the `field` it concerns if any, and the parameters of its texts.

    Raises: ValueError when the code is not registered or a parameter of its texts is missing.
    """

    def __init__(self, code: str, field: str | None = None, **params: object) -> None:
        message = _MESSAGES.get(code)
        if message is None:
            raise ValueError(f"refusal code {code!r} is not registered")
        missing = message.fields - params.keys()
        if missing:
            raise ValueError(f"refusal {code!r} lacks {', '.join(sorted(missing))}")
        self.code = code
        self.field = field
        self.params = params
        self._message = message
        super().__init__(code, field, params)

    @property
    def zh(self) -> str:
        """This property will give the Chinese text."""
        return self._message.zh.format(**self.params)

    @property
    def en(self) -> str:
        """This property will give the English text."""
        return self._message.en.format(**self.params)

    def __str__(self) -> str:
        return self.zh

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.code, self.field, self.params))


def _rebuild(kind: type[Refusal], code: str, field: str | None, params: dict[str, object]) -> Refusal:
    refusal = kind.__new__(kind)
    Refusal.__init__(refusal, code, field, **params)
    return refusal


class LawGap(Refusal):
    """No provision of this key was in force on that day: nobody may compute with a number that did not exist."""

    def __init__(self, key: str, on: date) -> None:
        super().__init__("law.gap", key=key, on=on.isoformat())


register(
    "law.gap",
    zh="{on} 当日没有已录入的有效条款：{key}",
    en="No provision on record was in force on {on}: {key}",
)
register("law.unknown_key", zh="没有这一法定数值：{key}", en="There is no legal value named {key}")
register(
    "law.not_overridable",
    zh="“{key}”是法规规定的数值，不能用设置改动",
    en="{key} is set by law and cannot be changed in the settings",
)
register(
    "law.override_invalid",
    zh="“{key}”的设置值必须是不小于 {least} 的整数，收到的是 {value}",
    en="The setting for {key} must be a whole number of at least {least}, not {value}",
)


def shown(value: object) -> str:
    """This function will give a value as a refusal may show it: short, and free of what cannot be written out."""
    text = value if isinstance(value, str) else repr(value)
    clean = text.encode("utf-8", "replace").decode("utf-8")
    return clean if len(clean) <= 60 else f"{clean[:59]}…"
