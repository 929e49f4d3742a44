"""Canonical JSON (RFC 8785): the one sequence of bytes that a value is hashed as."""

import hashlib
from collections.abc import Mapping, Sequence

import orjson
import rfc8785

_SAFE_INT = 2**53 - 1

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
"""What can be made canonical."""


class NotCanonical(ValueError):
    """A value has no canonical form: NaN, an integer beyond 2^53, a lone surrogate, a key that is no text, a foreign type."""


def canonical_bytes(value: Json) -> bytes:
    """This function will serialise a value as RFC 8785 says, in UTF-8.

    Raises: NotCanonical.
    """
    if _plain(value):
        try:
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        except orjson.JSONEncodeError:
            pass  # lone surrogates or great depth: the reference implementation says which it is
    try:
        return rfc8785.dumps(value)
    except (ValueError, RecursionError) as error:
        raise NotCanonical(str(error)) from error


def digest(value: Json) -> str:
    """This function will give the SHA-256 of the canonical bytes as 64 hexadecimal digits."""
    return hashlib.sha256(canonical_bytes(value)).hexdigest()


def _plain(value: object) -> bool:
    # orjson sorts keys by UTF-8 and writes floats its own way, so only ASCII keys and no floats may take the fast path;
    # exact types only, because orjson also knows dates and identifiers that JSON doesn't.
    stack = [value]
    while stack:
        item = stack.pop()
        kind = type(item)
        if kind is str or kind is bool or item is None:
            continue
        if isinstance(item, int):
            if kind is not int or not -_SAFE_INT <= item <= _SAFE_INT:
                return False
        elif isinstance(item, dict):
            if kind is not dict:
                return False
            for key in item:
                if type(key) is not str or not key.isascii():
                    return False
            stack.extend(item.values())
        elif kind is list or kind is tuple:
            assert isinstance(item, list | tuple)  # noqa: S101 - tells the type checker what the line above found
            stack.extend(item)
        else:
            return False
    return True
