"""Says in words what a rule finds, with an example that was drawn for it and shows no value."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from ...core.secret import marker
from .loader import Rule
from .samples import fill

CHECKS: dict[str, str] = {
    "discord-id": "its first part is the number of an account",
    "drawn-letters": "capitals and small letters change as often as in random text",
    "github-crc32": "its last six characters are the CRC32 of the others",
    "has-digit": "it has a digit",
    "jwt-header": "its first part is an object that names an algorithm",
    "mixed": "it has capitals, small letters and digits",
    "named": "it is no word, identifier, path, reference, digest or number",
    "not-digest": "it does not begin as a digest or certificate does",
    "not-github-36": "it is not as long as a GitHub token",
    "not-hex": "it is not hexadecimal",
    "not-reference": "it does not refer to a value that is kept elsewhere",
    "not-uuid": "it is no UUID",
    "opaque": "it is neither words, identifier, path, reference nor number",
    "password": "it may have been typed as a password",
    "pypi-macaroon": "it is a macaroon of the package index",
    "random": "it looks drawn at random",
    "turning": "letters, capitals and digits alternate as in random text",
}
"""What each check of :data:`.checks.CHECKS` wants of a value."""

_CONFIDENCE = {
    "high": "high: by its structure",
    "medium": "medium: by a name beside it",
    "low": "low: by its looks",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A rule in words.

    Attributes:
        found_by: Expression and conditions.
        example: A drawn sample, its value masked with ``*``.
        written: The same as a save would write it.
        left_alone: Forms that are not found.
    """

    id: str
    title: str
    severity: str
    confidence: str
    source: str
    found_by: tuple[str, ...]
    remedy: str
    example: str
    written: str
    left_alone: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the explanation as JSON values."""
        return asdict(self)

    def rows(self) -> Iterator[tuple[str, str]]:
        """Yield (name, text) in the order of reading; a text may have several lines."""
        for name, value in asdict(self).items():
            if value:
                yield name.replace("_", " "), value if isinstance(value, str) else "\n".join(value)


ISSUED = Explanation(
    "issued-credential",
    "A credential that was issued to you",
    "critical",
    "high: the value itself is known",
    "qsec",
    (
        "comparison with every value that the broker issued and still holds",
        "in every encoding: base64 at each offset, hexadecimal, URL, JSON, HTML, reversed, invisible breaks",
    ),
    "Nothing to do if this was an accident: it was not written. Revoke the grant if others saw it.",
    "",
    "",
    (),
)
"""The one rule without a pattern."""


def explain(rule: Rule) -> Explanation:
    """Return ``rule`` in words."""
    found_by = [f"pattern {rule.pattern}"] if rule.pattern else [f"a program: {rule.source}"]
    if rule.path:
        found_by.append(f"in files whose path matches {rule.path}")
    if rule.keywords:
        found_by.append(f"where one of these stands in the text: {', '.join(rule.keywords)}")
    if rule.entropy:
        found_by.append(f"at least {rule.entropy:g} bits of entropy a character")
    found_by += [CHECKS.get(name, name) for name in rule.checks]
    example, written = _example(rule)
    return Explanation(
        rule.id,
        rule.title,
        rule.severity,
        _CONFIDENCE[rule.confidence],
        rule.source,
        tuple(found_by),
        rule.remedy,
        example,
        written,
        (*map(_shown, rule.negative), *_exempted(rule)),
    )


def _exempted(rule: Rule) -> Iterator[str]:
    """Yield what a foreign rule leaves alone, in words."""
    for one in rule.exempt:
        joint = " and " if one.every else " or "
        parts = (
            ("a path like", one.paths),
            ("a commit of", one.commits),
            (f"a {one.target} like", one.regexes),
            ("a value with", one.stopwords),
        )
        yield joint.join(f"{what} {_short(texts)}" for what, texts in parts if texts)


def _short(texts: tuple[str, ...]) -> str:
    return ", ".join(texts[:5]) + (f" and {len(texts) - 5} more" if len(texts) > 5 else "")


def _example(rule: Rule) -> tuple[str, str]:
    """Return a drawn sample with its value masked, and as it is written; empty without samples."""
    if not rule.positive:
        return "", ""
    source = random.Random(rule.id)  # noqa: S311  # a sample, not a key
    text, drawn = fill(rule.positive[0], source)
    data = text.encode()
    written = data
    for start, end in sorted(rule.find(data, 0, len(data)), reverse=True):
        if rule.action == "redact":
            written = written[:start] + marker(rule.label).encode() + written[end:]
    return _masked(text, drawn), _masked(written.decode(), drawn) if written != data else ""


def _masked(text: str, drawn: list[str]) -> str:
    for value in drawn:
        text = text.replace(value, "*" * min(len(value), 60))
    return text


def _shown(template: str) -> str:
    """Return a template with its slots in words: ``{hex:40}`` is shown as ``<40 hex>``."""
    return re.sub(r"\{([a-z0-9]+):(\d+)\}", r"<\2 \1>", re.sub(r"\{([a-z0-9]+)\}", r"<\1>", template))
