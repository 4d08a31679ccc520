"""The catalogue of targets and data classes: ``catalog.toml`` of the state folder, else the shipped one."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from ..core.classification import DataPolicy
from ..core.duration import parse_duration
from ..core.errors import Invalid, NotFound, QsecError
from ..core.model import Target
from .credentials.broker import TargetSource
from .policy.engine import BUNDLE

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_REVOCABILITY = {
    "kv-v2": "Ending the grant ends the session; a copy of the value stays good until it is rotated.",
}


@dataclass(frozen=True, slots=True)
class RunRules:
    """Which runs need permission, and which target each backend belongs to.

    Attributes:
        mode: ``record``, or ``enforce``: a run is submitted only when a grant and policy allow it.
        local: Patterns of backend types (module and class) that simulate in the kernel.
        backends: For each target, patterns of the backend names that its grants permit.
    """

    mode: Literal["record", "enforce"] = "record"
    local: tuple[str, ...] = ()
    backends: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def is_local(self, kind: str) -> bool:
        """Say whether a backend of this type simulates in the kernel."""
        return any(fnmatchcase(kind, pattern) for pattern in self.local)

    def targets_of(self, backend: str) -> list[str]:
        """Return the targets whose grants permit a backend."""
        return [
            target
            for target, patterns in self.backends.items()
            if any(fnmatchcase(backend, pattern) for pattern in patterns)
        ]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The targets by name, where each one's secret lies, and the rules of the data classes."""

    targets: dict[str, Target]
    sources: dict[str, TargetSource]
    runs: RunRules = field(default_factory=RunRules)
    data_policy: DataPolicy = field(default_factory=DataPolicy)

    def target(self, name: str) -> Target:
        """Return a target.

        Raises:
            NotFound: ``target.unknown``.
        """
        if name not in self.targets:
            raise NotFound(
                "target.unknown",
                "There is no such target",
                f"Known targets: {', '.join(sorted(self.targets))}.",
                "Choose one of them, or have it added to catalog.toml.",
            )
        return self.targets[name]


def load_catalog(home: Path) -> Catalogue:
    """Read ``catalog.toml`` of the state folder ``home``, else the shipped one.

    Raises:
        Invalid: ``catalog.invalid`` naming the target that is wrong.
    """
    own = home / "catalog.toml"
    try:
        data = tomllib.loads((own if own.exists() else BUNDLE / "catalog.toml").read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _invalid("the file is not TOML") from error
    targets, sources = {}, {}
    for name, entry in data.get("targets", {}).items():
        targets[name], sources[name] = _entry(name, entry)
    return Catalogue(targets, sources, _runs(data), _data_policy(data.get("data_classes", {})))


def _runs(data: dict[str, Any]) -> RunRules:
    told = data.get("runs", {})
    mode = told.get("mode", "record")
    if mode not in {"record", "enforce"}:
        raise _invalid("runs.mode is neither record nor enforce")
    backends = {name: entry.get("backends", []) for name, entry in data.get("targets", {}).items()}
    for patterns in (told.get("local", []), *backends.values()):
        if not isinstance(patterns, list) or not all(isinstance(pattern, str) for pattern in patterns):
            raise _invalid("a list of patterns holds something else")
    return RunRules(mode, tuple(told.get("local", [])), {name: tuple(p) for name, p in backends.items()})


def _data_policy(section: Any) -> DataPolicy:
    if not isinstance(section, dict):
        raise _invalid("data_classes is not a table")
    rules = {name: rule for name, rule in section.items() if isinstance(rule, dict)}
    rest = {name: value for name, value in section.items() if not isinstance(value, dict)}
    if unknown := set(rest) - {"default", "floor"}:
        raise _invalid(f"data_classes.{min(unknown)} does not exist")
    return DataPolicy.from_dict({**rest, "rules": rules})


def _entry(name: str, entry: dict[str, Any]) -> tuple[Target, TargetSource]:
    try:
        return _target(name, entry), TargetSource(**entry["source"])
    except (KeyError, TypeError, ValueError, re.error, QsecError) as error:
        raise _invalid(f"target {name!r} is wrong ({type(error).__name__})") from error


def _target(name: str, entry: dict[str, Any]) -> Target:
    if not _NAME.fullmatch(name) or entry["tier"] != "deliver" or entry["approval"] not in {"auto", "review"}:
        raise ValueError(name)
    if entry.get("ticket_pattern"):
        re.compile(entry["ticket_pattern"])
    return Target(
        name=name,
        title=str(entry["title"]),
        provider=str(entry["provider"]),
        tier=entry["tier"],
        approval=entry["approval"],
        max_duration=parse_duration(entry["max_duration"]),
        default_duration=parse_duration(entry["default_duration"]),
        ticket_pattern=entry.get("ticket_pattern"),
        ticket_required=bool(entry.get("ticket_required", False)),
        revocability=_REVOCABILITY[entry["source"]["engine"]],
    )


def _invalid(what: str) -> Invalid:
    return Invalid("catalog.invalid", "The catalogue of targets is not valid", what, "Correct catalog.toml.")
