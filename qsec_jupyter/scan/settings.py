"""A project's own settings of scans: ``[scan]`` in ``qsec.toml``, ``[tool.qsec.scan]`` in ``pyproject.toml``.

```toml
[scan]
rules = ["security/rules.toml"]     # also a gitleaks.toml, a .secrets.baseline, or "kingfisher"
exclude = ["data/", "*.min.js"]     # as in .gitignore
baseline = [".qsec-baseline.json"]  # also detect-secrets' and gitleaks' own
fail-on = "medium"                  # least severity that makes the exit status 1
max-size = 268435456                # bytes; larger files are reported as not scanned
jobs = 0                            # processes; 0 is one a core

[[scan.allow]]                      # at least one of path, rule and fingerprint
path = "tests/**"
rule = "generic-password"
reason = "made-up passwords of the test server"
owner = "alice"
expires = 2027-06-30
```
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple, get_args

from ..core import toml
from ..core.errors import Invalid
from ..core.finding import Severity

MAX_SIZE = 256 * 1024 * 1024
"""Largest file that is read when the settings do not say (bytes)."""

_NAMES = ("qsec.toml", "pyproject.toml")
_KINGFISHER = "kingfisher"  # a source of rules that is no file


class Allow(NamedTuple):
    """An entry of the allowlist: what it lets pass, why, who answers for it, and until when.

    Attributes:
        expires: The last day on which it counts.
        path: Pattern as in ``.gitignore``, from the folder of the settings; empty for every path.
        rule: Id of a rule; empty for every rule.
        fingerprint: Of one value; empty for every value.
    """

    reason: str
    owner: str
    expires: date
    path: str = ""
    rule: str = ""
    fingerprint: str = ""

    def __str__(self) -> str:
        named = [
            f"{name} {value}" for name in ("path", "rule", "fingerprint") if (value := getattr(self, name))
        ]
        return ", ".join(named)


class Settings(NamedTuple):
    """The settings of a scan; paths are absolute.

    Attributes:
        folder: Where the settings lie; patterns are read from here.
        rules: Sources of more rules, for :func:`.ruleset.load_rules`.
        baseline: Files of known findings.
        exclude: Patterns as in ``.gitignore`` of what is not scanned.
        fail_on: Least severity that counts as a failure.
        max_size: Largest file that is read (bytes).
        jobs: Processes; 0 is one a core.
    """

    folder: Path
    rules: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    baseline: tuple[Path, ...] = ()
    fail_on: Severity = "medium"
    max_size: int = MAX_SIZE
    jobs: int = 0
    allow: tuple[Allow, ...] = ()


def find(start: Path) -> Settings:
    """Return the settings that hold in ``start``: the nearest file upwards, not past a repository's root.

    Raises:
        Invalid: ``settings.invalid`` with the file and the key.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        for name in _NAMES:
            table = _table(folder / name)
            if table is not None:
                return _settings(folder / name, table)
        if (folder / ".git").exists():
            break
    return Settings(start)


def read(file: Path) -> Settings:
    """Return the settings in ``file``.

    Raises:
        Invalid: ``settings.invalid`` when there is no such file or it says nothing of scans.
    """
    table = _table(file)
    if table is None:
        raise _invalid(file, "it is not there, or has no settings of qsec")
    return _settings(file, table)


def _table(file: Path) -> dict[str, Any] | None:
    """Return the settings' table; ``None`` when the file does not exist or is another program's."""
    try:
        content = file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _invalid(file, f"it cannot be read ({type(error).__name__})") from error
    if file.name == "pyproject.toml" and b"tool.qsec" not in content:
        return None
    try:
        whole = toml.loads(content.decode())
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError
        raise _invalid(file, "it is not valid TOML") from error
    if file.name == "pyproject.toml":
        tool: dict[str, Any] | None = whole.get("tool", {}).get("qsec")
        return tool
    return whole


def _settings(file: Path, table: Mapping[str, Any]) -> Settings:
    if unknown := set(table) - {"scan"}:
        raise _invalid(file, f"unknown table {min(unknown)!r}")
    scan = table.get("scan", {})
    if not isinstance(scan, dict):
        raise _invalid(file, "scan is not a table")
    folder = file.resolve().parent
    values: dict[str, Any] = {"folder": folder}
    for key, value in scan.items():
        if key not in _KINDS:
            raise _invalid(file, f"unknown key {key!r}")
        if not _fits(value, _KINDS[key]):
            raise _invalid(file, f"{key} is not {_WORDS[_KINDS[key]]}")
        values[key.replace("-", "_")] = value
    if "fail_on" in values and values["fail_on"] not in get_args(Severity):
        raise _invalid(file, f"fail-on is none of {', '.join(get_args(Severity))}")
    values["baseline"] = tuple(folder / name for name in values.get("baseline", ()))
    values["rules"] = tuple(
        name if name == _KINGFISHER else str(folder / name) for name in values.get("rules", ())
    )
    values["exclude"] = tuple(values.get("exclude", ()))
    values["allow"] = tuple(_allow(file, entry) for entry in values.get("allow", ()))
    return Settings(**values)


_KINDS = {
    "rules": "texts",
    "exclude": "texts",
    "baseline": "texts",
    "fail-on": "text",
    "max-size": "number",
    "jobs": "number",
    "allow": "tables",
}
_WORDS = {
    "texts": "a list of texts",
    "text": "a text",
    "number": "a whole number, 0 or more",
    "tables": "a list of tables",
}


def _fits(value: Any, kind: str) -> bool:
    if kind == "text":
        return isinstance(value, str)
    if kind == "number":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    member = str if kind == "texts" else dict
    return isinstance(value, list) and all(isinstance(item, member) for item in value)


def _allow(file: Path, entry: Mapping[str, Any]) -> Allow:
    names = set(Allow._fields)
    if unknown := set(entry) - names:
        raise _invalid(file, f"allow: unknown key {min(unknown)!r}")
    if missing := {"reason", "owner", "expires"} - {name for name in entry if entry[name]}:
        raise _invalid(file, f"allow: {min(missing)} is missing; an exception has reason, owner and expiry")
    if not any(entry.get(name) for name in ("path", "rule", "fingerprint")):
        raise _invalid(file, "allow: one of path, rule and fingerprint is needed")
    values = dict(entry)
    values["expires"] = day(entry["expires"])
    if values["expires"] is None:
        raise _invalid(file, "allow: expires is not a day such as 2027-06-30")
    if wrong := [
        name for name in sorted(names - {"expires"} & set(values)) if not isinstance(values[name], str)
    ]:
        raise _invalid(file, f"allow: {wrong[0]} is not a text")
    return Allow(**values)


def day(value: object) -> date | None:
    """Return a TOML date, date-time or text as a day; ``None`` when it is none."""
    if isinstance(value, date):
        return date(value.year, value.month, value.day)
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None


def _invalid(file: Path, why: str) -> Invalid:
    return Invalid("settings.invalid", "The settings cannot be used", f"{file}: {why}.", "Correct the file.")
