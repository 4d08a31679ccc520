"""Reads every source that settings or a user name, each by its kind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..rules.loader import Rule
from . import gitleaks, kingfisher, own, plugins
from .model import Collection, Finder, Refused, Unreadable, parse_toml, read_bytes

KINGFISHER = "kingfisher"
"""Stands for the rules of Kingfisher's SDK; a file of that name is written ``./kingfisher``."""


def collect(sources: Sequence[str], shipped: Iterable[Rule] = (), trusted: Sequence[str] = ()) -> Collection:
    """Return what the named sources give.

    A source is a file with ``[[rule]]`` in our form, a configuration of gitleaks, a baseline of
    detect-secrets, or the word ``kingfisher``.

    Args:
        sources: As a project names them.
        shipped: Rules whose ids are taken.
        trusted: As the user names them in person: programs among them are run.

    What cannot be used is in ``refused``, by name and with the reason; nothing is raised for it.
    """
    found = Collection()
    for source, by_user in _each(sources, trusted):
        try:
            found += _read(source, by_user)
        except Unreadable as error:
            found += Collection(refused=(Refused(source, "", str(error)),))
    taken = {rule.id for rule in shipped}

    def repeated(rule: Rule) -> str:
        if rule.id in taken:
            return "the id is taken; give it one of its own"
        taken.add(rule.id)
        return ""

    return found.without(repeated)


def finders(sources: Sequence[str], trusted: Sequence[str] = ()) -> tuple[Finder, ...]:
    """Return the programs among the sources, without reading the files of rules."""
    found: list[Finder] = []
    for source, by_user in _each(sources, trusted):
        if source == KINGFISHER or not source.endswith(".toml"):
            try:
                found += _read(source, by_user).finders
            except Unreadable:
                continue  # `collect` says so
    return tuple(found)


def _each(sources: Sequence[str], trusted: Sequence[str]) -> Iterator[tuple[str, bool]]:
    yield from ((source, False) for source in sources)
    yield from ((source, True) for source in trusted)


def _read(source: str, by_user: bool) -> Collection:
    if source == KINGFISHER:
        return kingfisher.read()
    path = Path(source).expanduser()
    found = _toml(path) if path.suffix == ".toml" else _json(path, by_user)
    return Collection(found.rules, found.finders, found.refused, (path, *found.inputs))


def _toml(path: Path) -> Collection:
    parsed = parse_toml(path)
    if isinstance(parsed.get("rule"), list):
        return own.read(path, parsed)
    if gitleaks.is_config(parsed):
        return gitleaks.read(path, parsed)
    raise Unreadable("it holds neither [[rule]] nor gitleaks' [[rules]]")


def _json(path: Path, by_user: bool) -> Collection:
    try:
        parsed = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise Unreadable("it is neither a .toml file of rules nor a baseline of detect-secrets") from error
    if not isinstance(parsed, dict) or not isinstance(parsed.get("plugins_used"), list):
        raise Unreadable("it names no plugins of detect-secrets (plugins_used)")
    return plugins.read(path, parsed, run=by_user)
