"""Secrets whose literal is broken up or written in another notation."""

from __future__ import annotations

from base64 import b64encode
from random import Random

from ..draft import Draft
from ..model import Planted
from ..naming import BLAND, statement, variable


def pieces(rng: Random, value: str, most: int = 4) -> list[str]:
    """Cut ``value`` into two to ``most`` parts of at least four characters."""
    count = min(rng.randint(2, most), max(2, len(value) // 8))
    cuts = sorted(rng.sample(range(4, len(value) - 3), count - 1))
    return [value[a:b] for a, b in zip([0, *cuts], [*cuts, len(value)], strict=True)]


def _quoted(part: str, mark: str) -> str:
    return repr(part) if any(c in part for c in "'\"\\") else f"{mark}{part}{mark}"


def _adjacent(rng: Random, parts: list[str]) -> str:
    glue = rng.choice([" ", "\n         ", " \\\n    "])
    return "(" + glue.join(_quoted(part, '"') for part in parts) + ")"


def _plus(rng: Random, parts: list[str]) -> str:
    return rng.choice([" + ", "+"]).join(_quoted(part, "'") for part in parts)


def _join(rng: Random, parts: list[str]) -> str:
    inner = ", ".join(_quoted(part, "'") for part in parts)
    return rng.choice([f"''.join([{inner}])", f'"".join(({inner}))'])


def _lines(rng: Random, parts: list[str]) -> str:
    inner = ",\n    ".join(_quoted(part, '"') for part in parts)
    return f'"".join([\n    {inner},\n])'


def _fields(rng: Random, parts: list[str]) -> str:
    return rng.choice(
        [
            "'" + "{}" * len(parts) + "'.format(" + ", ".join(map(repr, parts)) + ")",
            "'" + "%s" * len(parts) + "' % (" + ", ".join(map(repr, parts)) + ")",
        ]
    )


EXPRESSIONS = {
    "adjacent literals": _adjacent,
    "plus": _plus,
    "join": _join,
    "list of lines": _lines,
    "format": _fields,
}


def expression(rng: Random, draft: Draft, p: Planted) -> None:
    """One expression puts the parts together, inside a call or an assignment that names the value."""
    parts = pieces(rng, p.value)
    p.shape = rng.choice(list(EXPRESSIONS))
    text = EXPRESSIONS[p.shape](rng, parts)
    name = variable(rng, p.format.client)
    p.fragments = _spread(p, parts)
    draft.code(
        rng.choice(
            [
                f"{name} = {text}",
                statement(rng, p.format.client, text),
                f"{name} = {text}\n{statement(rng, p.format.client, name)}",
            ]
        )
    )


def variables(rng: Random, draft: Draft, p: Planted) -> None:
    """The parts are variables that an f-string, a sum or ``+=`` brings together, perhaps a cell later."""
    parts = pieces(rng, p.value, 3)
    names = rng.sample(BLAND, len(parts))
    lines = [f"{name} = '{part}'" for name, part in zip(names, parts, strict=True)]
    target = variable(rng, p.format.client)
    p.fragments = _spread(p, parts)
    p.shape = rng.choice(["f-string of parts", "sum of parts", "augmented"])
    if p.shape == "augmented":
        first, *rest = parts
        draft.code(
            "\n".join(
                [
                    f"{target} = '{first}'",
                    *(f"{target} += '{part}'" for part in rest),
                    statement(rng, p.format.client, target),
                ]
            )
        )
        return
    whole = (
        'f"' + "".join(f"{{{name}}}" for name in names) + '"'
        if p.shape.startswith("f-")
        else " + ".join(names)
    )
    use = rng.choice([f"{target} = {whole}", statement(rng, p.format.client, whole)])
    if rng.random() < 0.4:
        draft.code("\n".join(lines))
        draft.code(use)
    else:
        draft.code("\n".join([*lines, use]))


def _spread(p: Planted, parts: list[str]) -> tuple[str, ...]:
    """Return what each part holds of the secret; a longer piece that survives would give it away."""
    secret = p.format.secret_part(p.value)
    start = p.value.index(secret)
    shares, at = [], 0
    for part in parts:
        shares.append(p.value[max(at, start) : min(at + len(part), start + len(secret))])
        at += len(part)
    return tuple(share for share in shares if len(share) >= 6) or tuple(filter(None, shares))


def notation(rng: Random, draft: Draft, p: Planted) -> None:
    """Byte strings, escapes, hexadecimal and base64 in Python."""
    value, name = p.value, variable(rng, p.format.client)
    escaped = "".join(f"\\x{ord(c):02x}" if rng.random() < 0.5 else c for c in value)
    unicode = "".join(f"\\u{ord(c):04x}" if rng.random() < 0.4 else c for c in value)
    choices = {
        "bytes": f"b'{value}'.decode()",
        "hex escapes": f"'{''.join(f'{chr(92)}x{ord(c):02x}' for c in value)}'",
        "some hex escapes": f'"{escaped}"',
        "unicode escapes": f"'{unicode}'",
        "bytes with escapes": f"b'{escaped}'.decode('ascii')",
        "base64": f"base64.b64decode('{b64encode(value.encode()).decode()}').decode()",
        "base64 bytes": f"base64.b64decode(b\"{b64encode(value.encode()).decode()}\").decode('utf-8')",
        "fromhex": f"bytes.fromhex('{value.encode().hex()}').decode()",
    }
    p.shape = rng.choice(list(choices))
    text = choices[p.shape]
    draft.code("import base64\n" + rng.choice([f"{name} = {text}", statement(rng, p.format.client, text)]))


SHAPES = ((expression, 5), (variables, 3), (notation, 4))
