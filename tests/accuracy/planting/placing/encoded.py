"""Secrets inside base64, gzip and data URLs, and URLs in every kind of output."""

from __future__ import annotations

import base64
import gzip
import json
from random import Random
from urllib.parse import quote

from ..draft import Draft
from ..model import Planted
from ..naming import environment, literal, mention
from ..randoms import b64, b64url, slug


def document(p: Planted, rng: Random) -> str:
    """Return a small text that shows the value under its name."""
    return rng.choice(["{}", "# settings\n{}\n", "lab\n{}\nend\n"]).format(
        mention(p, rng, quiet=False).replace("{", "{").replace("}", "}")
    )


def base64_text(rng: Random, draft: Draft, p: Planted) -> None:
    """A text in base64, once, twice or compressed, printed or in source."""
    text = document(p, rng).encode()
    style = rng.choice(
        ["base64", "base64", "URL-safe base64", "base64 of base64", "base64 in lines", "gzip in base64"]
    )
    packed = {
        "base64": lambda: b64(text),
        "URL-safe base64": lambda: b64url(text),
        "base64 of base64": lambda: b64(b64(text).encode()),
        "base64 in lines": lambda: base64.encodebytes(text).decode(),
        "gzip in base64": lambda: b64(gzip.compress(text, mtime=0)),
    }[style]()
    p.shape += f" in {style}"
    if rng.random() < 0.5 and "\n" not in packed:
        draft.code(f"blob = {literal(rng, packed)}\ncfg = base64.b64decode(blob)")
    else:
        draft.code(
            "!base64 settings",
            draft.stream(rng.choice(["", "blob: ", "data="]) * ("\n" not in packed) + packed),
        )


def data_url(rng: Random, draft: Draft, p: Planted) -> None:
    """A link that holds a file."""
    text = document(p, rng)
    p.shape += " in a data URL"
    link = rng.choice(
        [
            f"data:text/plain;base64,{b64(text.encode())}",
            f"data:application/json;charset=utf-8,{quote(text)}",
            f"data:text/csv;base64,{b64(text.encode())}",
        ]
    )
    draft.code("download", draft.display(text__html=f'<a download="settings.txt" href="{link}">download</a>'))


def kubernetes(rng: Random, draft: Draft, p: Planted) -> None:
    """Secrets of Kubernetes and Docker are base64 under a name."""
    if rng.random() < 0.6:
        p.shape = "Kubernetes secret"
        text = f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: {slug(rng)}\ntype: Opaque\ndata:\n  {environment(rng, p.format.client)}: {b64(p.value.encode())}\n"
    else:
        p.shape = "Docker login"
        text = json.dumps(
            {"auths": {"registry.lab.example": {"auth": b64(f"lab:{p.value}".encode())}}}, indent=2
        )
    draft.code("!kubectl get secret -o yaml", draft.stream(text))


SHAPES = ((base64_text, 5), (data_url, 2), (kubernetes, 2))
