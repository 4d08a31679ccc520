"""A request as it came in, taken apart once and strictly; what could be read in two ways is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from ...core.errors import Invalid, NotFound

_PATH = re.compile(rb"/([a-z][a-z0-9-]{0,39})/([a-z][a-z0-9]{0,15})((?:/[A-Za-z0-9._~:%+=@!$'()*,-]+)*/?)")
"""``/target/api/path``. Nothing empty; what may be encoded is for the provider's table to say."""

_QUERY = re.compile(rb"[\x21-\x7e]{0,8192}")
_ONCE = frozenset({"host", "authorization", "content-length", "content-type", "transfer-encoding", "expect"})
_NEVER = frozenset({"upgrade", "trailer", "te", "proxy-authorization", "proxy-connection"})
_MOST_HEADERS, _MOST_PARAMETERS = 64, 64


@dataclass(frozen=True, slots=True)
class Request:
    """The parts of a request that anything is decided by.

    Attributes:
        method: HTTP method.
        target: Name of the target, the first segment.
        api: The second segment.
        path: The rest, undecoded.
        query: Parameters, decoded.
        raw_query: The query as it was sent.
        headers: By lower-case name. Most are never passed on.
    """

    method: str
    target: str
    api: str
    path: str
    query: tuple[tuple[str, str], ...]
    raw_query: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What is about to be sent to a provider; a dialect that signs requests signs this."""

    method: str
    url: str
    body: bytes | None


def read_request(scope: Mapping[str, Any], hosts: frozenset[str]) -> Request:
    """Take a request apart.

    Args:
        scope: As ASGI 3 gives it.
        hosts: The names, with port, that this gateway answers to.

    Raises:
        Invalid: ``gateway.malformed``.
        NotFound: ``gateway.no_route`` for a path that no table can hold.
    """
    headers = _headers(scope["headers"])
    if headers.get("host", "").lower() not in hosts:
        raise _malformed("It was sent to another host.")
    found = _PATH.fullmatch(scope["raw_path"])
    path = found.group(3).decode("ascii") if found else ""
    if found is None or not _is_plain(path):
        raise NotFound("gateway.no_route", "The gateway does not offer that", "The path is not a plain one.")
    return Request(
        method=scope["method"],
        target=found.group(1).decode("ascii"),
        api=found.group(2).decode("ascii"),
        path=path,
        query=_query(scope["query_string"]),
        raw_query=scope["query_string"].decode("ascii"),
        headers=headers,
    )


def _is_plain(path: str) -> bool:
    """Say whether a path means the same before and after decoding: no step upwards, nothing encoded twice."""
    decoded = unquote(path, errors="replace")
    steps = {".", "..", ""} & set(decoded.split("/")[1:-1]) or decoded.rpartition("/")[2] in {".", ".."}
    return not steps and "%" not in decoded and decoded.isprintable() and "\\" not in decoded


def _headers(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return the headers by name.

    A proxy and a server that count the bytes of a body differently are how one request hides in another
    (RFC 9112, 11.2); two lengths, or a length and chunks, are refused whatever they say.
    """
    found: dict[str, str] = {}
    for raw_name, raw_value in pairs:
        name = raw_name.decode("ascii", "replace").lower()
        if (name in found and name in _ONCE) or name in _NEVER:
            raise _malformed("A header is there twice, or must not be there.")
        found[name] = raw_value.decode("latin-1")
    coding = found.get("transfer-encoding")
    if len(pairs) > _MOST_HEADERS or (
        coding is not None and (coding != "chunked" or "content-length" in found)
    ):
        raise _malformed("Its headers leave open where its body ends.")
    length = found.get("content-length")
    if length is not None and not (length.isascii() and length.isdecimal()):
        raise _malformed("Its length is no number.")
    return found


def _query(raw: bytes) -> tuple[tuple[str, str], ...]:
    if not _QUERY.fullmatch(raw):
        raise _malformed("Its query is too long, or holds what must be encoded.")
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_PARAMETERS
        )
    except ValueError as error:
        raise _malformed("Its query cannot be read.") from error
    if any(ord(letter) < 32 for pair in pairs for text in pair for letter in text):
        raise _malformed("Its query holds control characters.")
    return tuple(pairs)


def _malformed(why: str) -> Invalid:
    return Invalid(
        "gateway.malformed", "The gateway does not take such a request", why, "Use a plain client."
    )
