"""Kingfisher's rules through its SDK, an extra: ``pip install 'qsec-jupyter[kingfisher]'``.

The wheel ``kingfisher-bin`` holds a program only; the rules, and a scanner in this process, come with
``kingfisher-secret-scanner``. It is asked for findings and never to try them: nothing reaches the network.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Any, Literal

from ...core import paths
from ..rules.exemptions import Where
from ..rules.fields import printable
from ..rules.loader import Rule
from .model import Collection, Refused

_MISSING = "it is not installed: pip install 'qsec-jupyter[kingfisher]'"
_REMEDY = "Withdraw it where it was issued; if it opens nothing, keep it with a reason."
_CONFIDENCE: dict[str, Literal["high", "medium", "low"]] = {"high": "high", "low": "low"}


def read() -> Collection:
    """Return the finder, or why there is none."""
    if find_spec("kingfisher_sdk") is None:
        return Collection(refused=(Refused("kingfisher", "", _MISSING),))
    return Collection(finders=(KingfisherFinder(),))


class KingfisherFinder:
    """Kingfisher's scanner in this process, made when first used: its rules take a third of a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._scanner: Any = None
        self._rules: dict[str, Rule] = {}

    @property
    def rules(self) -> tuple[Rule, ...]:
        """A rule for each of its visible ones."""
        visible = [one for one in self._loaded().rules.metadata() if one["visible"]]
        return tuple(self._rule(one["id"], one["name"], "medium") for one in visible)

    def find(self, data: bytes, where: Where) -> Iterable[tuple[Rule, int, int]]:
        """Yield what it finds in a text."""
        for finding in self._loaded().scan(data):
            if finding.visible:
                rule = self._rule(finding.rule_id, finding.rule_name, str(finding.confidence).lower())
                for start, end in _places(finding, data):
                    yield rule, start, end

    def _loaded(self) -> Any:
        with self._lock:
            if self._scanner is None:
                import kingfisher_sdk

                rules = kingfisher_sdk.Rules(cache_dir=paths.cache() / "kingfisher")
                self._scanner = kingfisher_sdk.Scanner(rules, base64=False)  # texts are decoded already
            return self._scanner

    def _rule(self, name: str, title: str, confidence: str) -> Rule:
        if name not in self._rules:
            short = name.split(".", 1)[-1]
            self._rules[name] = Rule(
                id=f"kingfisher/{printable(name)}",
                label=short,
                title=printable(title),
                severity="high",
                remedy=_REMEDY,
                pattern="",
                source="kingfisher",
                confidence=_CONFIDENCE.get(confidence, "medium"),
                family="kingfisher",
            )
        return self._rules[name]


def _places(finding: Any, data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where the value of a finding lies, in or near the place that it names."""
    value = finding.secret.encode()
    at = data.find(value, max(0, int(finding.location["start_offset"]) - len(value)))
    if value and at >= 0:
        yield at, at + len(value)
