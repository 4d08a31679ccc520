"""detect-secrets' plugins as a baseline of its own chooses them, with its filters and the user's own plugins.

Plugins that are compiled into the engine already (:mod:`..detect`) are not run a second time. A custom plugin
is a program: it is run only when the user named the baseline in person, never because a project did.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..detect import OMITTED
from ..rules.exemptions import Where
from ..rules.fields import printable
from ..rules.loader import Rule
from .model import Collection, Refused

_LOCK = threading.Lock()
"""Settings of detect-secrets are those of the whole process."""

_CUSTOM = "it is a program; it runs only when you name this file yourself: qsec scan --rules FILE"
_REMEDY = "Withdraw it where it was issued; if it opens nothing, keep it with a reason."
_LONGEST = 20_000
"""Longer lines are left to the other rules: plugins are for lines that people write (characters)."""


def read(path: Path, baseline: dict[str, Any], *, run: bool) -> Collection:
    """Return the finder for what a baseline chooses.

    Args:
        path: Where the baseline lies.
        baseline: Its content.
        run: Whether the user's own plugins are run.
    """
    chosen: list[dict[str, Any]] = []
    refused: list[Refused] = []
    for one in baseline["plugins_used"]:
        why = _why_not(one, path, run=run)
        if why:
            name = str(one.get("name", "")) if isinstance(one, dict) else ""
            refused.append(Refused(str(path), printable(name), why))
        elif "path" in one or one["name"] in OMITTED:
            chosen.append(one)
    filters = [one for one in baseline.get("filters_used") or () if isinstance(one, dict) and "path" in one]
    custom = [one for one in filters if str(one["path"]).startswith("file:")]
    if custom and not run:
        refused.append(Refused(str(path), "filters_used", _CUSTOM))
        filters = [one for one in filters if one not in custom]
    if not chosen:
        return Collection(refused=tuple(refused))
    finder = PluginFinder(path, chosen, filters)
    return Collection(finders=(finder,), refused=tuple(refused))


def _why_not(one: Any, path: Path, *, run: bool) -> str:
    """Return why a plugin is not run, or nothing."""
    if not isinstance(one, dict) or not isinstance(one.get("name"), str):
        return "an entry of plugins_used has no name"
    if "path" in one:
        file = str(one["path"])
        if not run:
            return _CUSTOM
        return "" if file.startswith("file://") and Path(file[7:]).is_file() else "its file is not there"
    return "" if one["name"] in _known() else "detect-secrets has no such plugin"


def _known() -> set[str]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    return {plugin.__name__ for plugin in get_mapping_from_secret_type_to_class().values()}


class PluginFinder:
    """Runs plugins and filters line by line, as detect-secrets does.

    Args:
        path: Where the baseline lies.
        chosen: Entries of ``plugins_used``.
        filters: Entries of ``filters_used``.
    """

    def __init__(self, path: Path, chosen: list[dict[str, Any]], filters: list[dict[str, Any]]) -> None:
        self._path = path
        self._config = {"plugins_used": chosen, "filters_used": filters}
        self._rules: dict[str, Rule] = {}

    @property
    def rules(self) -> tuple[Rule, ...]:
        """A rule for each plugin."""
        from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
        from detect_secrets.settings import transient_settings

        names = {one["name"] for one in self._config["plugins_used"]}
        with _LOCK, transient_settings(self._config):
            get_mapping_from_secret_type_to_class.cache_clear()
            types = [
                title
                for title, plugin in get_mapping_from_secret_type_to_class().items()
                if plugin.__name__ in names
            ]
        return tuple(map(self._rule, sorted(types)))

    def find(self, data: bytes, where: Where) -> Iterable[tuple[Rule, int, int]]:
        """Yield what the plugins find in the lines of a text."""
        found = self._found(data.decode("utf-8", "surrogateescape"), where.path or "text")
        for title, value, line, start in found:
            encoded = value.encode("utf-8", "surrogateescape")
            at = line.find(encoded)
            while at >= 0 and encoded:
                yield self._rule(title), start + at, start + at + len(encoded)
                at = line.find(encoded, at + len(encoded))

    def _found(self, text: str, name: str) -> list[tuple[str, str, bytes, int]]:
        """Return (kind, value, line, offset of the line) of everything that is found."""
        from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
        from detect_secrets.core.scan import _process_line_based_plugins
        from detect_secrets.settings import transient_settings

        lines = list(_lines(text))
        found = []
        with _LOCK, transient_settings(self._config):
            get_mapping_from_secret_type_to_class.cache_clear()  # knows the plugins of other settings
            numbered = [(number, line) for number, (line, _) in enumerate(lines, 1) if len(line) <= _LONGEST]
            for secret in _process_line_based_plugins(numbered, name):
                line, start = lines[secret.line_number - 1]
                value = secret.secret_value or ""
                found.append((secret.type, value, line.encode("utf-8", "surrogateescape"), start))
            get_mapping_from_secret_type_to_class.cache_clear()
        return found

    def _rule(self, title: str) -> Rule:
        if title not in self._rules:
            slug = "-".join(printable(title).lower().split())
            self._rules[title] = Rule(
                id=f"detect-secrets/{slug}",
                label=slug,
                title=printable(title),
                severity="medium",
                remedy=_REMEDY,
                pattern="",
                source=str(self._path),
                confidence="low",
                family="detect-secrets, as your baseline chooses",
            )
        return self._rules[title]


def _lines(text: str) -> Iterator[tuple[str, int]]:
    """Yield each line with the offset in bytes at which it begins."""
    at = 0
    for line in text.split("\n"):
        yield line, at
        at += len(line.encode("utf-8", "surrogateescape")) + 1
