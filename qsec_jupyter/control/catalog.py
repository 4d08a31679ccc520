"""The catalogue: targets, projects, data classes and workloads, as ``catalog.toml`` of the bundle says."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from ..core.classification import DATA_CLASSES, DataPolicy
from ..core.duration import parse_duration
from ..core.errors import Invalid, NotFound, QsecError
from ..core.model import ENVIRONMENTS, ROLES, Price, Principal, Project, Role, Round, Target
from .credentials.broker import TargetSource
from .credentials.engines import described, revocability, tier_of
from .credentials.naming import Mounts
from .gateway.envelope import Envelope
from .gateway.settings import PROXIED, GatewaySettings
from .identity.workloads import Workload
from .notifications.channel import Channel
from .policy.bundle import Place
from .windows import Window

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


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
class Caps:
    """How much may be open at once.

    Attributes:
        grants_per_user: Open grants and requests of one person.
        results_per_user: One person's rights to read results after the grant, each of one submit grant.
        leases_per_user: Sessions behind one person's grants.
        leases: Sessions of the whole site.
        start_ahead: How far ahead a start may lie (seconds).
    """

    grants_per_user: int = 50
    results_per_user: int = 1000
    leases_per_user: int = 100
    leases: int = 5000
    start_ahead: int = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The targets by name, where each one's secret lies, projects, caps, and the rules of data classes."""

    targets: dict[str, Target]
    sources: dict[str, TargetSource]
    runs: RunRules = field(default_factory=RunRules)
    data_policy: DataPolicy = field(default_factory=DataPolicy)
    projects: dict[str, Project] = field(default_factory=dict)
    caps: Caps = field(default_factory=Caps)
    windows: dict[str, tuple[Window, ...]] = field(default_factory=dict)
    workloads: dict[str, Workload] = field(default_factory=dict)
    roles: dict[Role, tuple[str, ...]] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    envelopes: dict[str, Envelope] = field(default_factory=dict)
    gateways: dict[str, GatewaySettings] = field(default_factory=dict)

    def named(self, principal: Principal) -> Principal:
        """Return somebody with the roles that the catalogue gives them beside those that they bring."""
        given = (role for role, patterns in self.roles.items() if any(map(principal.matches, patterns)))
        return replace(principal, roles=tuple(dict.fromkeys((*principal.roles, *given))))

    def project(self, name: str) -> Project:
        """Return a project.

        Raises:
            NotFound: ``project.unknown``.
        """
        if name not in self.projects:
            raise NotFound(
                "project.unknown",
                "There is no such project",
                f"Known projects: {', '.join(sorted(self.projects)) or 'none'}.",
                "Choose one of them, or have it added to catalog.toml.",
            )
        return self.projects[name]

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
    """Read the catalogue that a control plane of the state folder ``home`` would read now.

    Raises:
        Invalid: ``catalog.invalid`` naming the entry that is wrong.
    """
    return parse_catalog(Place.of(home).read().catalogue)


def parse_catalog(text: str) -> Catalogue:
    """Read a catalogue from its TOML text.

    Raises:
        Invalid: ``catalog.invalid`` naming the entry that is wrong.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _invalid("the file is not TOML") from error
    targets, sources = {}, {}
    for name, entry in data.get("targets", {}).items():
        targets[name], sources[name] = _entry(name, entry)
    return Catalogue(
        targets=targets,
        sources=sources,
        runs=_runs(data),
        data_policy=_data_policy(data.get("data_classes", {})),
        projects={name: _project(name, entry, targets) for name, entry in data.get("projects", {}).items()},
        caps=_caps(data.get("caps", {})),
        windows={name: tuple(map(Window.parse, target.windows)) for name, target in targets.items()},
        workloads=_workloads(data.get("workloads", {}), targets),
        gateways={
            name: _gateway(name, data["targets"][name])
            for name, target in targets.items()
            if target.tier == "proxy"
        },
        roles=_roles(data.get("roles", {})),
        channels=_channels(data.get("notifications", {}), targets),
        envelopes={name: _envelope(name, entry) for name, entry in data.get("targets", {}).items()},
    )


def _channels(section: Any, targets: dict[str, Target]) -> dict[str, Channel]:
    found: dict[str, Channel] = {}
    for name, entry in section.items() if isinstance(section, dict) else ():
        try:
            found[name] = channel = Channel.parse(name, entry)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _invalid(
                f"notification {name!r} is wrong ({_said(error) or type(error).__name__})"
            ) from error
        if not _NAME.fullmatch(name) or set(channel.targets) - set(targets):
            raise _invalid(f"notification {name!r} is wrong: its name, or a target that does not exist")
    return found


def _roles(section: Any) -> dict[Role, tuple[str, ...]]:
    """Read ``[roles]``: whom a Jupyter Server names, and nobody else, gets roles there."""
    if not isinstance(section, dict) or set(section) - set(ROLES):
        raise _invalid(f"[roles] gives roles that exist to names and groups: {', '.join(ROLES)}")
    try:
        found = {role: _texts(patterns) for role, patterns in section.items()}
    except TypeError as error:
        raise _invalid("[roles] holds something beside lists of names and groups") from error
    if any(pattern.startswith("role:") for patterns in found.values() for pattern in patterns):
        raise _invalid("[roles] gives a role to a role")
    return found


def _workloads(section: Any, targets: dict[str, Target]) -> dict[str, Workload]:
    found: dict[str, Workload] = {}
    keys: dict[str, tuple[str, str | None]] = {}
    for name, entry in section.items() if isinstance(section, dict) else ():
        try:
            found[name] = workload = Workload.parse(name, entry)
        except (KeyError, TypeError, ValueError, AttributeError, QsecError) as error:
            raise _invalid(f"workload {name!r} is wrong ({type(error).__name__}: {_said(error)})") from error
        if not _NAME.fullmatch(name) or set(workload.targets) - set(targets):
            raise _invalid(f"workload {name!r} is wrong: its name, or a target that does not exist")
        place = (workload.jwks, workload.ca)
        if keys.setdefault(workload.issuer, place) != place:
            raise _invalid(f"workload {name!r} is wrong: its issuer has other keys elsewhere")
    return found


def _said(error: Exception) -> str:
    """Return what one of our own checks said; an error of a library may quote what it was given."""
    return str(error.args[0]) if error.args and type(error) in {KeyError, TypeError, ValueError} else ""


def _project(name: str, entry: Any, targets: dict[str, Target]) -> Project:
    try:
        project = Project(
            name=name,
            title=str(entry.get("title", name)),
            members=_texts(entry["members"]),
            data_class=entry.get("data_class", "internal"),
            targets=_texts(entry.get("targets", [])),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise _invalid(f"project {name!r} is wrong ({type(error).__name__})") from error
    if not _NAME.fullmatch(name) or project.data_class not in DATA_CLASSES:
        raise _invalid(f"project {name!r} has a wrong name or data class")
    if unknown := set(project.targets) - set(targets):
        raise _invalid(f"project {name!r} names a target that there is not: {min(unknown)}")
    return project


def _caps(section: Any) -> Caps:
    try:
        told = {
            key: parse_duration(value) if key == "start_ahead" else int(value)
            for key, value in section.items()
        }
        caps = Caps(**told)
    except (AttributeError, TypeError, ValueError, QsecError) as error:
        raise _invalid(f"caps are wrong ({type(error).__name__})") from error
    if min(caps.grants_per_user, caps.results_per_user, caps.leases_per_user, caps.leases) < 1:
        raise _invalid("a cap below 1 would let nobody in")
    return caps


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
        return _target(name, entry), _source(entry["source"])
    except (KeyError, TypeError, ValueError, re.error, QsecError) as error:
        raise _invalid(f"target {name!r} is wrong ({type(error).__name__})") from error


def _gateway(name: str, entry: dict[str, Any]) -> GatewaySettings:
    from .gateway.providers import PROVIDERS  # its modules know policy, which knows this one

    usual = {provider.name: provider.addresses for provider in PROVIDERS.values()}
    try:
        settings = GatewaySettings.parse(entry["gateway"], usual)
    except (KeyError, TypeError, ValueError, QsecError) as error:
        why = error.detail if isinstance(error, QsecError) else _said(error)
        raise _invalid(f"target {name!r} is wrong ({type(error).__name__}: {why})") from error
    if settings.reservations and not entry.get("reservations"):
        raise _invalid(f"target {name!r} names reservations, and reservations = true is not set")
    return settings


def _source(told: dict[str, Any]) -> TargetSource:
    seconds = parse_duration(told["rotate_after"]) if "rotate_after" in told else 0
    source = TargetSource(**{**told, "fields": tuple(told.get("fields", ())), "rotate_after": seconds})
    described(source).needs(source, Mounts())  # a path or name that is refused is said now, not at its use
    return source


def _target(name: str, entry: dict[str, Any]) -> Target:
    if (
        not _NAME.fullmatch(name)
        or entry["tier"] not in _tiers(entry)
        or entry["approval"] not in {"auto", "review"}
    ):
        raise ValueError(name)
    if entry.get("ticket_pattern"):
        re.compile(entry["ticket_pattern"])
    environment, classes = entry.get("environment", "dev"), _texts(entry.get("classes", DATA_CLASSES))
    if environment not in ENVIRONMENTS or set(classes) - set(DATA_CLASSES):
        raise ValueError(name)
    retrieve = entry.get("retrieve")
    price = entry.get("price")
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
        revocability=PROXIED if entry["tier"] == "proxy" else revocability(entry["source"]["engine"]),
        environment=environment,
        regions=_texts(entry.get("regions", [])),
        classes=classes,  # type: ignore[arg-type]  # checked above
        rounds=_rounds(entry),
        pending=parse_duration(entry.get("pending", "24h")),
        windows=_windows(entry.get("windows", [])),
        break_glass=bool(entry.get("break_glass", False)),
        retrieve_duration=parse_duration(retrieve) if retrieve else 0,
        bind_payload=bool(entry.get("bind_payload", False)),
        reservations=bool(entry.get("reservations", False)),
        reconcile=parse_duration(entry["reconcile"]) if "reconcile" in entry else 0,
        price=Price(**price) if price else None,
    )


def _envelope(name: str, entry: dict[str, Any]) -> Envelope:
    try:
        return Envelope.parse(entry.get("envelope", {}))
    except (KeyError, TypeError, ValueError, QsecError) as error:
        said = _said(error) or type(error).__name__
        raise _invalid(f"the envelope of target {name!r} is wrong ({said})") from error


def _tiers(entry: dict[str, Any]) -> tuple[str, ...]:
    """Return the tiers that an entry may name: what delivers a credential may deliver it to the gateway."""
    tier = tier_of(entry["source"]["engine"])
    return ("proxy",) if tier == "deliver" and "gateway" in entry else (tier,)


def _rounds(entry: dict[str, Any]) -> tuple[Round, ...]:
    """Read ``rounds``, or the one round that ``reviewers`` and ``quorum`` describe."""
    told = entry.get("rounds") or [
        {"reviewers": entry.get("reviewers", []), "quorum": entry.get("quorum", 1)}
    ]
    rounds = tuple(Round(_texts(one.get("reviewers", [])), int(one.get("quorum", 1))) for one in told)
    for one in rounds:
        named = [pattern for pattern in one.reviewers if ":" not in pattern]
        if one.quorum < 1 or (len(named) == len(one.reviewers) > 0 and one.quorum > len(set(named))):
            raise ValueError("a quorum that nobody can reach")
    return rounds


def _windows(told: Any) -> tuple[str, ...]:
    windows = _texts(told)
    for window in windows:
        Window.parse(window)
    return windows


def _texts(told: Any) -> tuple[str, ...]:
    if not isinstance(told, (list, tuple)) or not all(isinstance(one, str) and one for one in told):
        raise TypeError("a list of texts holds something else")
    return tuple(told)


def _invalid(what: str) -> Invalid:
    return Invalid("catalog.invalid", "The catalogue of targets is not valid", what, "Correct catalog.toml.")
