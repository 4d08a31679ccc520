"""Values that the broker issued: nothing names them, and they stand in any encoding."""

from __future__ import annotations

import base64
import gzip
import html
import json
from collections.abc import Callable
from random import Random
from urllib.parse import quote, quote_plus

from ..draft import Draft
from ..model import Planted
from ..naming import BLAND, filler_line
from ..randoms import b64, b64url, draw, hexa
from .split import EXPRESSIONS, pieces

ENCODINGS: dict[str, Callable[[Random, str], str]] = {
    "plain": lambda rng, v: v,
    "hex": lambda rng, v: v.encode().hex(),
    "HEX": lambda rng, v: v.encode().hex().upper(),
    "URL": lambda rng, v: quote(v, safe=""),
    "URL form": lambda rng, v: quote_plus(v),
    "JSON": lambda rng, v: json.dumps(v),
    "JSON in JSON": lambda rng, v: json.dumps({"body": json.dumps({"v": v})}),
    "Python repr": lambda rng, v: repr(v),
    "bytes repr": lambda rng, v: repr(v.encode()),
    "hex escapes": lambda rng, v: "".join(f"\\x{ord(c):02x}" for c in v),
    "unicode escapes": lambda rng, v: "".join(f"\\u{ord(c):04x}" for c in v),
    "HTML entities": lambda rng, v: html.escape(v),
    "HTML numbers": lambda rng, v: "".join(f"&#{ord(c)};" for c in v),
    "HTML hexadecimal": lambda rng, v: "".join(f"&#x{ord(c):x};" for c in v),
    "reversed": lambda rng, v: v[::-1],
    "base64": lambda rng, v: b64(v.encode()),
    "URL-safe base64": lambda rng, v: b64url(v.encode()),
    "base64 inside": lambda rng, v: b64(
        (
            draw(rng, "abcxyz -:/", rng.randint(1, 40)) + v + draw(rng, "abcxyz -:/", rng.randint(1, 40))
        ).encode()
    ),
    "URL-safe base64 inside": lambda rng, v: b64url(
        (draw(rng, "abcxyz?~", rng.randint(1, 30)) + v + draw(rng, "abc?~", rng.randint(1, 30))).encode()
    ),
    "base64 in lines": lambda rng, v: (
        base64.encodebytes((draw(rng, "abcxyz ", rng.randint(20, 60)) + v + "\nend of file\n").encode())
        .decode()
        .strip()
    ),
    "base64 of base64": lambda rng, v: b64(b64(v.encode()).encode()),
    "gzip in base64": lambda rng, v: b64(gzip.compress(f"config\n{v}\n".encode(), mtime=0)),
    "ANSI": lambda rng, v: f"\x1b[31m{v[: len(v) // 2]}\x1b[0m\x1b[1m{v[len(v) // 2 :]}\x1b[0m",
    "zero-width": lambda rng, v: "\u200b".join(v),
    "split literals": lambda rng, v: rng.choice(list(EXPRESSIONS.values()))(rng, pieces(rng, v)),
}

_SOURCE = (
    "plain",
    "hex",
    "base64",
    "hex escapes",
    "unicode escapes",
    "split literals",
    "bytes repr",
    "Python repr",
    "URL-safe base64",
    "base64 of base64",
)


def encoded(rng: Random, draft: Draft, p: Planted) -> None:
    """One encoding in one kind of place."""
    p.shape = rng.choice([name for name in ENCODINGS if name != "split literals" or "'" not in p.value])
    text = ENCODINGS[p.shape](rng, p.value)
    places = [_stream, _plain, _html, _json, _metadata, _error]
    if p.shape == "split literals":
        places = [_source]
    elif p.shape in _SOURCE:
        places += [_source, _source]
    elif p.shape in ("ANSI", "zero-width"):
        places = [_stream, _plain, _error]
    elif p.shape.startswith("HTML"):
        places = [_html]
    place = rng.choice(places)
    place(rng, draft, text, p)
    p.surface = f"issued:{place.__name__.strip('_')}"


def _source(rng: Random, draft: Draft, text: str, p: Planted) -> None:
    if p.shape == "split literals" or text.startswith(("'", '"', "b'")):
        draft.code(f"{rng.choice(BLAND)} = {text}")
    else:
        draft.code(f"{rng.choice(BLAND)} = '{text}'")


def _stream(rng: Random, draft: Draft, text: str, p: Planted) -> None:
    draft.code(
        "run()",
        draft.stream(f"{filler_line(rng)}\n{rng.choice(['', 'got ', 'x='])}{text}\n{filler_line(rng)}"),
    )


def _plain(rng: Random, draft: Draft, text: str, p: Planted) -> None:
    draft.code("value", draft.result(text__plain=text))


def _html(rng: Random, draft: Draft, text: str, p: Planted) -> None:
    body = text if p.shape.startswith("HTML") else html.escape(text)
    draft.code(
        "page",
        draft.display(
            text__html=rng.choice([f"<p>{body}</p>", f"<td>{body}</td>", f'<i title="{body}">x</i>'])
        ),
    )


def _json(rng: Random, draft: Draft, text: str, p: Planted) -> None:
    draft.code("tree", draft.display(application__json={"id": hexa(rng, 8), "items": [{"v": text}]}))


def _metadata(rng: Random, draft: Draft, text: str, p: Planted) -> None:
    draft.code("pass", metadata={"trace": {"value": text}})


def _error(rng: Random, draft: Draft, text: str, p: Planted) -> None:
    draft.code(
        "go()",
        {
            "output_type": "error",
            "ename": "ValueError",
            "evalue": f"bad value {text}",
            "traceback": [f"ValueError: bad value {text}"],
        },
    )


def as_key(rng: Random, draft: Draft, p: Planted) -> None:
    """As the key of a mapping."""
    p.shape = "key of a mapping"
    draft.code("cache", draft.display(application__json={p.value: {"hits": rng.randint(1, 9)}}))
    p.surface = "issued:json"


SHAPES = ((encoded, 30), (as_key, 1))
