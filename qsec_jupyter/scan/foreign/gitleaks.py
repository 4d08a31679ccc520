"""A gitleaks configuration as it is: rules, keywords, entropy, groups, allowlists and ``[extend]``.

Source: gitleaks' README (Configuration) and its own tests. Where its scanner looks at a whole file, rules
here look at one text of it: a cell's source, an output, a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..notations import parsed
from ..rules.exemptions import LONGEST, Exemption
from ..rules.fields import ROOM, printable
from ..rules.growth import grows
from ..rules.loader import Rule, re2_pattern
from .go_syntax import Untranslatable, for_re2, translate
from .model import Collection, Refused, Unreadable, parse_toml

DEPTH = 2
"""How often a configuration may extend another."""

_PREFIX = re.compile(r"((?:\(\?i\))?)((?:\(\?i:)?)\[[^\[\]\\]*(?:\\.[^\[\]\\]*)*\](?:\{0,\d+\}|\*)\?(?=.)")
_REMEDY = "Withdraw it where it was issued; if it opens nothing, keep it with a reason."
_AROUND = 64
_DEFAULT = "gitleaks' own rules are no part of this; put its gitleaks.toml beside it and name that as path"
_ALONE = "it names a file by its path alone, and no value in it"
_COMPOSITE = "it wants other rules beside it (required), which is not read"
_SLOW = "its time grows faster than the text; the extra `re2` (pip install 'qsec-jupyter[re2]') takes it"


class _Wrong(ValueError):
    """What is wrong with a rule or an allowlist."""


def is_config(content: Mapping[str, Any]) -> bool:
    """Tell whether parsed TOML is a configuration of gitleaks."""
    content = _lowered(content)
    return isinstance(content.get("rules"), list) or isinstance(content.get("extend"), dict)


def read(path: Path, content: dict[str, Any]) -> Collection:
    """Return the rules of a parsed configuration, with those that it extends."""
    return _Config(path).read(_lowered(content))


class _Config:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._refused: list[Refused] = []
        self._inputs: list[Path] = []

    def read(self, content: dict[str, Any]) -> Collection:
        tables, allow = self._extended(self._path, content, DEPTH)
        exempt = self._exempt(allow)
        rules = []
        for name, table in tables.items():
            try:
                rule = self._rule(name, table, exempt)
            except (_Wrong, Untranslatable) as error:
                self._refuse(str(error), name)
            else:
                rules += [rule] if rule else []
        return Collection(tuple(rules), refused=tuple(self._refused), inputs=tuple(self._inputs))

    def _refuse(self, why: str, name: str = "") -> None:
        self._refused.append(Refused(str(self._path), name, why))

    def _exempt(self, allow: list[dict[str, Any]]) -> tuple[Exemption, ...]:
        """Return what no rule finds; an allowlist that cannot be read lets more be found, not less."""
        made = []
        for table in allow:
            try:
                made.append(_exemption(table))
            except (_Wrong, Untranslatable) as error:
                self._refuse(f"an allowlist for all rules: {error}")
        return tuple(made)

    # -- tables -----------------------------------------------------------------------------------

    def _extended(
        self, path: Path, content: Mapping[str, Any], depth: int
    ) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
        """Return the tables of rules by id, and the allowlists for all of them, bases first."""
        own = self._own_rules(content)
        allow = [one for one in _tables(content, "allowlist", "allowlists") if not one.get("targetrules")]
        base, more = self._base(path, content, depth)
        for name, table in own.items():
            base[name] = _merged(base[name], table) if name in base else table
        for one in _tables(content, "allowlist", "allowlists"):
            for name in one.get("targetrules") or ():
                if name in base:
                    base[name] = {**base[name], "allowlists": [*_allowlists(base[name]), one]}
                else:
                    self._refuse(f"an allowlist is for {name!r}, and there is no such rule")
        return base, [*more, *allow]

    def _own_rules(self, content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        own: dict[str, dict[str, Any]] = {}
        for table in _tables(content, "rules"):
            name = table.get("id")
            if not isinstance(name, str) or not name.strip():
                self._refuse("a rule has no id")
            elif name in own:
                self._refuse("the id is taken", name)
            else:
                own[name] = table
        return own

    def _base(
        self, path: Path, content: Mapping[str, Any], depth: int
    ) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
        """Return what ``[extend]`` names, without the rules that it switches off."""
        extend = content.get("extend")
        if not isinstance(extend, dict):
            return {}, []
        if extend.get("usedefault"):
            self._refuse(f"[extend] useDefault: {_DEFAULT}")
        if extend.get("url"):
            self._refuse("[extend] url: nothing is fetched; name a file as path")
        named = extend.get("path")
        if not isinstance(named, str) or not named:
            return {}, []
        if not depth:
            self._refuse(f"[extend] path: more than {DEPTH} files one behind the other")
            return {}, []
        file = next((one for one in (Path(named), path.parent / named) if one.is_file()), path.parent / named)
        self._inputs.append(file)
        try:
            tables, allow = self._extended(file, _lowered(parse_toml(file)), depth - 1)
        except Unreadable as error:
            self._refuse(f"[extend] path {named}: {error}")
            return {}, []
        off = extend.get("disabledrules") or ()
        return {name: table for name, table in tables.items() if name not in off}, allow

    # -- rules ------------------------------------------------------------------------------------

    def _rule(self, name: str, table: Mapping[str, Any], everywhere: tuple[Exemption, ...]) -> Rule | None:
        """Return a rule; ``None`` for one that gitleaks itself does not report."""
        if table.get("skipreport"):
            return None
        if table.get("required"):
            raise _Wrong(_COMPOSITE)
        expression = _text(table, "regex")
        if not expression:
            raise _Wrong(_ALONE if table.get("path") else "it has neither regex nor path")
        exempt = (*everywhere, *map(_exemption, _allowlists(table)))
        group = _number(table, "secretgroup", int)
        if not any(one.target == "match" for one in exempt):
            expression = _shortened(expression)
        pattern = translate(expression, int(group))
        width = min(int(parsed(pattern).getwidth()[1]), ROOM - _AROUND) + _AROUND
        linear = grows(pattern)
        return Rule(
            id=_slug(name),
            label=_label(name),
            title=printable(_text(table, "description") or name),
            severity="high",
            remedy=_REMEDY,
            pattern=_by_re2(pattern) if linear else pattern,
            trigger=pattern,
            before=max(width, 512),
            after=max(width, 512),
            entropy=float(_number(table, "entropy", (int, float))),
            source=str(self._path),
            family=f"gitleaks: {self._path.name}",
            keywords=tuple(word.lower() for word in _texts(table, "keywords")),
            path=translate(_text(table, "path")) if table.get("path") else "",
            exempt=exempt,
            placeholders=True,
            linear=linear,
        )


def _by_re2(pattern: str) -> str:
    """Return an expression for RE2, which takes time in proportion."""
    try:
        re2_pattern(for_re2(pattern))
    except ImportError as error:
        raise _Wrong(_SLOW) from error
    except ValueError as error:
        raise _Wrong("its time grows faster than the text, and RE2 does not take it") from error
    return for_re2(pattern)


def _shortened(expression: str) -> str:
    """Leave out what an expression begins with and may be empty: it costs the most and finds nothing more."""
    while match := _PREFIX.match(expression):
        expression = match[1] + match[2] + expression[match.end() :]
    return expression


def _exemption(table: Mapping[str, Any]) -> Exemption:
    condition = (_text(table, "condition") or "OR").upper()
    target = _text(table, "regextarget") or "secret"
    if condition not in {"OR", "||", "AND", "&&"}:
        raise _Wrong(f"the condition {condition!r} of an allowlist is neither AND nor OR")
    if target not in {"secret", "match", "line"}:
        raise _Wrong(f"the regexTarget {target!r} of an allowlist is neither match nor line")
    made = Exemption(
        paths=tuple(map(translate, _texts(table, "paths"))),
        commits=tuple(one.strip().lower() for one in _texts(table, "commits")),
        regexes=tuple(map(translate, _texts(table, "regexes"))),
        target=target,  # type: ignore[arg-type]  # one of the three
        stopwords=tuple(word.lower() for word in _texts(table, "stopwords")),
        every=condition in {"AND", "&&"},
    )
    if made == Exemption(target=made.target, every=made.every):
        raise _Wrong("an allowlist is empty")
    for expression in (*made.paths, *made.regexes):
        if grows(expression, LONGEST // 2):
            raise _Wrong("an expression of its allowlist takes time that grows faster than the text")
    return made


def _merged(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rule of a base with what a configuration says of it."""
    lists = {
        key: [*(base.get(key) or ()), *(own.get(key) or ())]
        for key in ("keywords", "tags")
        if base.get(key) or own.get(key)
    }
    allow = [*_allowlists(base), *_allowlists(own)]
    said = {key: value for key, value in own.items() if value}
    return {**base, **said, **lists, "allowlists": allow, "allowlist": None}


def _allowlists(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list(_tables(table, "allowlist", "allowlists"))


def _lowered(value: Any) -> Any:
    """Return parsed TOML with its keys in lower case: gitleaks does not tell them apart."""
    if isinstance(value, dict):
        return {key.lower(): _lowered(inner) for key, inner in value.items()}
    return [_lowered(one) for one in value] if isinstance(value, list) else value


def _tables(content: Mapping[str, Any], *keys: str) -> Iterator[dict[str, Any]]:
    """Yield the tables under any of ``keys``, each a table or a list of them."""
    for key in keys:
        value = content.get(key)
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict))


def _text(table: Mapping[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise _Wrong(f"{key} is not a text")
    return value


def _texts(table: Mapping[str, Any], key: str) -> list[str]:
    value = table.get(key) or []
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _Wrong(f"{key} is not a list of texts")
    return value


def _number(table: Mapping[str, Any], key: str, kind: Any) -> float:
    value = table.get(key, 0)
    if not isinstance(value, kind) or isinstance(value, bool) or value < 0:
        raise _Wrong(f"{key} is not a number")
    return float(value)


def _slug(name: str) -> str:
    """Return an id that is none of ours."""
    return "gitleaks/" + re.sub(r"[^\w./-]+", "-", name, flags=re.ASCII)[:90]


def _label(name: str) -> str:
    return re.sub(r"[^a-z0-9-]+", "-", name.lower())[:40].strip("-") or "secret"
