"""The unified social credit code (统一社会信用代码, GB 32100-2015) and the organisation code in it (GB 11714-1997)."""

import re
import unicodedata

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""The 31 characters of GB 32100: no I, O, S, V, Z."""

_VALUE = {char: value for value, char in enumerate(ALPHABET)}
_WEIGHTS = tuple(pow(3, i, 31) for i in range(17))
_BODY_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_BODY_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Registration authority → permitted kinds; "" permits any, where the standard leaves them to the authority.
_AUTHORITIES = {
    "1": "",
    "2": "",
    "3": "",
    "4": "",
    "5": "",
    "6": "",
    "7": "",
    "8": "",
    "9": "1239",
    "A": "",
    "N": "",
    "Y": "",
}
_DASHES = "‐‑‒–—―−﹣_·"
_MANGLED = re.compile(r"[0-9](?:\.[0-9]+)?E\+?[0-9]{1,2}|[0-9]{15,18}\.0+")

PROBLEMS: dict[str, tuple[str, str]] = {
    "mangled": (
        "代码已被表格软件改成数字，原值已丢失，请把该列设为文本后重新填写",
        "a spreadsheet turned the code into a number and its digits are lost; format the column as text and enter it again",
    ),
    "length": ("统一社会信用代码应为18位", "the credit code must have 18 characters"),
    "alphabet": (
        "含有不允许的字符（不使用 I、O、S、V、Z）",
        "has a character outside the code's alphabet (no I, O, S, V, Z)",
    ),
    "authority": ("登记管理部门或机构类别代码不存在", "the registration authority or its kind does not exist"),
    "area": ("第3至8位应为行政区划数字", "characters 3 to 8 must be the digits of an area code"),
    "body_check": (
        "主体标识码（第9至17位）校验位不符",
        "the check character of the organisation code (9 to 17) is wrong",
    ),
    "check": ("第18位校验码不符", "the check character (18) is wrong"),
}
"""Problem code → its Chinese and English text."""


def normalise(text: str) -> str:
    """This function will turn full-width characters into half-width, lower case into upper, and drop spaces and hyphens."""
    half = unicodedata.normalize("NFKC", text).upper()
    return "".join(c for c in half if not c.isspace() and c != "-" and c not in _DASHES and c not in "\u200b\ufeff")


def is_mangled(text: str) -> bool:
    """This function will recognise a code that a spreadsheet turned into a number, such as ``9.11E+17``."""
    return _MANGLED.fullmatch(normalise(text)) is not None


def check_char(first17: str) -> str:
    """This function will compute character 18 from the first 17.

    Source: GB 32100-2015 §5. Raises: ValueError when they aren't 17 characters of the alphabet.
    """
    if len(first17) != 17 or any(char not in _VALUE for char in first17):
        raise ValueError("17 characters of the GB 32100 alphabet are needed")
    total = sum(_VALUE[char] * weight for char, weight in zip(first17, _WEIGHTS, strict=True))
    return ALPHABET[-total % 31]


def body_check_char(first8: str) -> str:
    """This function will compute the ninth character of an organisation code (组织机构代码) from the first eight.

    Source: GB 11714-1997. Raises: ValueError when they aren't eight digits or capital letters.
    """
    if len(first8) != 8 or any(char not in _BODY_ALPHABET for char in first8):
        raise ValueError("eight digits or capital letters are needed")
    total = sum(_BODY_ALPHABET.index(char) * weight for char, weight in zip(first8, _BODY_WEIGHTS, strict=True))
    return "0123456789X"[-total % 11]


def is_valid_body(code: str) -> bool:
    """This function will tell whether nine characters, normalised first, form a valid organisation code."""
    body = normalise(code)
    return len(body) == 9 and all(c in _BODY_ALPHABET for c in body[:8]) and body_check_char(body[:8]) == body[8]


def problems(code: str) -> tuple[str, ...]:
    """This function will name what is wrong with a credit code, normalised first; nothing wrong is an empty tuple.

    The names are the keys of ``PROBLEMS``. A mangled or misshapen code has that one problem only.
    """
    text = normalise(code)
    if is_mangled(text):
        return ("mangled",)
    if len(text) != 18:
        return ("length",)
    if any(char not in _VALUE for char in text):
        return ("alphabet",)
    found = []
    kinds = _AUTHORITIES.get(text[0])
    if kinds is None or (kinds and text[1] not in kinds):
        found.append("authority")
    if not text[2:8].isdecimal():
        found.append("area")
    if body_check_char(text[8:16]) != text[16]:
        found.append("body_check")
    if check_char(text[:17]) != text[17]:
        found.append("check")
    return tuple(found)


def is_valid(code: str) -> bool:
    """This function will tell whether a credit code, normalised first, has no problem."""
    return not problems(code)
