"""The readable policy bundle: the files of one folder, read together, under one digest."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import cedarpy

from ...core.canonical import digest, sha256_hex
from ...core.errors import Invalid

SHIPPED = Path(__file__).parent / "shipped"
"""The bundle of this package; a site's own takes its place as a whole."""

SCHEMA = "schema.cedarschema"
CATALOGUE = "catalog.toml"
CASES = "tests.toml"

_LONGEST = 1 << 20
"""A file of a bundle is written and read by people; one of more bytes than this is none."""

_PIECE = re.compile(r'//[^\n]*|"(?:\\.|[^"\\])*"|;|\s+|.', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy of the bundle.

    Attributes:
        id: Its ``@id``; where it has none, the file and line that it begins at.
        named: Whether it has an ``@id``.
        effect: What it does to what it matches.
        advice: Its ``@advice``: the remedy that a refusal shows.
        place: File and line, such as ``grants.cedar:12``.
        form: Cedar's JSON form of the policy.
    """

    id: str
    named: bool
    effect: Literal["permit", "forbid"]
    advice: str
    place: str
    form: dict[str, Any]

    def concerns(self, action: str) -> bool:
        """Say whether the rule's scope takes in an action."""
        scope = self.form["action"]
        named = scope.get("entities") or [scope.get("entity")]
        return scope["op"] == "All" or any(entity["id"] == action for entity in named)


@dataclass(frozen=True)
class Bundle:
    """What policy consists of: schema, rules, catalogue and cases, as they were at one moment.

    Args:
        files: Content by file name.
        source: Where they come from, for people; no part of the digest.
    """

    files: dict[str, str]
    source: str = "memory"

    @classmethod
    def shipped(cls) -> Bundle:
        """Read the bundle of this package."""
        return cls.read(SHIPPED)

    @classmethod
    def read(cls, folder: Path, catalogue: Path | None = None) -> Bundle:
        """Read a folder. A symbolic link is followed once, so that one version is read and no mixture.

        Args:
            folder: Where the bundle lies.
            catalogue: A file that takes the place of the bundle's own ``catalog.toml``.

        Raises:
            Invalid: ``policy.unreadable`` when a file that must be there cannot be read.
        """
        try:
            place = folder.resolve(strict=True)
            files = {path.name: _text(path) for path in sorted(place.iterdir()) if _belongs(path)}
            if catalogue is not None:
                files[CATALOGUE] = _text(catalogue)
        except (OSError, UnicodeDecodeError, ValueError) as error:
            raise _unreadable(folder, type(error).__name__) from error
        for name in (SCHEMA, CATALOGUE):
            if name not in files:
                raise _unreadable(folder, f"{name} is missing")
        return cls(files, "the shipped bundle" if place == SHIPPED.resolve() else str(folder))

    @cached_property
    def digest(self) -> str:
        """SHA-256 over names and contents; every decision is recorded with it."""
        return digest({name: sha256_hex(text.encode()) for name, text in self.files.items()})

    @property
    def schema(self) -> str:
        """The Cedar schema."""
        return self.files[SCHEMA]

    @property
    def catalogue(self) -> str:
        """The TOML text of targets, data classes and workloads."""
        return self.files[CATALOGUE]

    @cached_property
    def rules(self) -> tuple[Rule, ...]:
        """Every policy, in the order of files and lines.

        Raises:
            Invalid: ``policy.syntax`` naming the file.
        """
        found: list[Rule] = []
        for name, text in sorted(self.files.items()):
            if name.endswith(".cedar"):
                found.extend(_rules(name, text))
        return tuple(found)

    def rule(self, name: str) -> Rule | None:
        """Return the policy of that ``@id``."""
        return next((rule for rule in self.rules if rule.id == name), None)

    def policy_set(self) -> str:
        """Return all policies in Cedar's JSON form, by our names: its reasons then are our ids."""
        return as_set({rule.id: rule.form for rule in self.rules})


FOLDER_VARIABLE = "QSEC_POLICY"
"""Environment variable that names a site's bundle, when it is not ``policy/`` in the state folder."""

Seen = tuple[tuple[str, int, int, int], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a site's bundle is looked for.

    Attributes:
        home: The state folder.
        chosen: A folder that the configuration names; it must be there.
    """

    home: Path
    chosen: Path | None = None

    @classmethod
    def of(cls, home: Path) -> Place:
        """Return the place that environment and state folder give."""
        chosen = os.environ.get(FOLDER_VARIABLE)
        return cls(home, Path(chosen).expanduser() if chosen else None)

    def folder(self) -> Path:
        """Return the folder to read: the chosen, else ``policy/`` of the state folder, else the shipped."""
        if self.chosen is not None:
            return self.chosen
        own = self.home / "policy"
        return own if own.is_dir() else SHIPPED

    def read(self) -> Bundle:
        """Read the bundle. A ``catalog.toml`` in the state folder takes the place of the bundle's.

        Raises:
            Invalid: ``policy.unreadable``.
        """
        own = self.home / CATALOGUE
        return Bundle.read(self.folder(), own if own.is_file() else None)

    def seen(self) -> Seen:
        """Return what tells one state of the files from another, without reading them."""
        folder = self.folder()
        try:
            files = [*sorted(folder.resolve().iterdir()), self.home / CATALOGUE]
            return tuple(_stamp(path) for path in files if path.exists())
        except OSError:
            return ()


def _stamp(path: Path) -> tuple[str, int, int, int]:
    about = path.stat()
    return (str(path), about.st_mtime_ns, about.st_size, about.st_ino)


def as_set(forms: dict[str, dict[str, Any]]) -> str:
    """Return policies in the JSON form of a Cedar policy set."""
    return json.dumps({"templates": {}, "staticPolicies": forms, "templateLinks": []})


def _belongs(path: Path) -> bool:
    return path.is_file() and (path.suffix == ".cedar" or path.name in {SCHEMA, CATALOGUE, CASES})


def _text(path: Path) -> str:
    data = path.read_bytes()
    if len(data) > _LONGEST:
        raise ValueError(path.name)
    return data.decode("utf-8")


def _rules(name: str, text: str) -> list[Rule]:
    try:
        forms = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        raise Invalid(
            "policy.syntax",
            "The policy bundle is not Cedar",
            f"{name} cannot be parsed{_first_wrong(text)}.",
            "Correct the file; `qsec policy check` says when it is right.",
        ) from error
    if forms["templates"]:
        raise Invalid(
            "policy.template",
            "The policy bundle holds a template",
            f"{name} uses ?principal or ?resource.",
            "Write the rule out; a template without links permits and forbids nothing.",
        )
    policies = forms["staticPolicies"]
    in_order = sorted(policies, key=lambda key: int(key.removeprefix("policy")))
    places = _starts(text)
    return [_rule(policies[key], f"{name}:{line}") for key, (line, _) in zip(in_order, places, strict=True)]


def _rule(form: dict[str, Any], place: str) -> Rule:
    notes = form.get("annotations", {})
    return Rule(
        id=notes.get("id") or place,
        named=bool(notes.get("id")),
        effect=form["effect"],
        advice=" ".join((notes.get("advice") or "").split()),
        place=place,
        form=form,
    )


def _starts(text: str) -> list[tuple[int, str]]:
    """Return line and text of each policy, which ends at a semicolon outside of comments and strings."""
    found: list[tuple[int, str]] = []
    line, begun, start = 1, 0, 0
    for piece in _PIECE.finditer(text):
        said = piece.group()
        if not begun and not said.isspace() and not said.startswith("//"):
            begun, start = line, piece.start()
        if said == ";":
            found.append((begun, text[start : piece.end()]))
            begun = 0
        line += said.count("\n")
    return found


def _first_wrong(text: str) -> str:
    """Say at which line the first policy begins that Cedar refuses."""
    for line, policy in _starts(text):
        try:
            cedarpy.policies_to_json_str(policy)
        except ValueError:
            return f"; the policy that begins in line {line} is wrong"
    return "; something is left after the last semicolon"


def _unreadable(folder: Path, why: str) -> Invalid:
    return Invalid(
        "policy.unreadable",
        "The policy bundle cannot be read",
        f"{folder}: {why}.",
        f"A bundle is a folder with {SCHEMA}, {CATALOGUE}, *.cedar and {CASES}.",
    )
