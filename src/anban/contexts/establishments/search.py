"""How texts of the register are folded, so that the same place written in two ways is found and recognised."""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

from anban.base.textsearch import spaced

_JOINT = "|"
_NOISE = re.compile(r"[\W_]+")
_CITY_HEAD = re.compile(r"^(?:中国)?北京市?(?=..)")


def fold(text: str) -> str:
    """This function will fold a text for comparison: half-width, lower case, without spaces and punctuation."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).casefold())


def search_text(*texts: str) -> str:
    """This function will give the column that a search looks through: each text folded, a space between all characters."""
    return f" {_JOINT} ".join(spaced(folded) for text in texts if (folded := fold(text)))


def search_tokens(query: str) -> tuple[str, ...]:
    """This function will give the folded words of a query, all of which a place must hold; at most eight of them."""
    return tuple(dict.fromkeys(folded for word in query.split() if (folded := fold(word))))[:8]


def fold_address(text: str) -> str:
    """This function will fold an address and leave out the city's name before it, which some sources write and some don't."""
    return _CITY_HEAD.sub("", fold(text))


def match_key(name: str, address: str) -> str:
    """This function will give the key under which two rows with the same name and address meet; empty without either."""
    folded = fold(name), fold_address(address)
    if not all(folded):
        return ""
    return sha256(_JOINT.join(folded).encode()).hexdigest()[:32]
