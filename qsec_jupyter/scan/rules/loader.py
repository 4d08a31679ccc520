"""Reads the rule files and proves each rule on samples of its own before it is used."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from ...core import toml
from ...core.errors import Bug, Invalid
from ...core.finding import Severity
from ...core.secret import LONGEST_LABEL, MARKED, marker
from .checks import CHECKS, entropy, placeholder
from .exemptions import Exemption, Where
from .fields import ROOM, wrong
from .starts import quick

FOLDER = Path(__file__).parent
"""Where the shipped rule files lie."""

_QUOTE = r"(?:[\"'\\\]]|&quot;|&\#39;|&\#x27;)"
_TAGS = r"(?:</?[a-zA-Z][^<>]{0,80}>\s{0,8}){1,4}"
_NAME_END = rf"{_QUOTE}{{0,4}}\s{{0,8}}"
_TYPED = r":\s{0,4}&?(?:'\w{1,8}\s)?\w{1,12}\s{0,4}="  # name: str =, name: &str =
_LETTER, _ANY = r"[A-Za-z._~+/=!@\#$%^&*:-]", r"[A-Za-z0-9._~+/=!@\#$%^&*:-]"
_OTHERS = (
    *("sort", "dict", "idempotency", "publishable", "pad", "eos", "bos", "cls", "sep"),
    *("mask", "unk", "cancel", "sync", "continuation", "object", "group", "row", "s3"),
    *("registry", "host", "digest", "checksum", "map", "index", "join", "merge", "natural"),
    *("unique", "surrogate", "composite", "job", "run", "file", "issue", "state", "etag"),
)
_MACROS = {
    # What credentials are called, in the languages of our users; the second list only as whole words.
    "<<names>>": r"token|secret|key|passw(?:or)?d|passwort|kennwort|pwd|passphrase|credentials?"
    r"|schl(?:ue|\xc3\xbc)ssel|contrase(?:n|\xc3\xb1)a|mot[_ ]?de[_ ]?passe|access[_ ]?code|securestring",
    "<<words>>": "pat|pass|pw|bearer|cookie|jwt|auth|tok|refresh|creds?",
    "<<suffix>>": "s?(?:[_. -]?(?:value|string|text|here|v?[0-9]{1,2}))?_{0,2}",
    # What may stand between a name and its value in prose: "Your new key was created (shown once): ...".
    "<<told>>": r"(?:[ \t]{1,3}(?:is|was|are|has|been|now|new|created|generated|issued|rotated|changed"
    r"|updated|set|to|reads|follows|below|here|for|lautet|ist|wurde|neu|auf|nun|erstellt|accepted|rejected|expired"
    r"|invalid|loaded|received|refreshed|found|used|sent)\b){0,4}"
    r"(?:[ \t]for(?:[ \t][^\s:=]{1,40}){1,6})?(?:[ \t]{0,2}\([^()\n]{1,40}\))?",
    # Keys and tokens that open nothing.
    "<<harmless>>": r"(?:public|verif(?:y|ying|ication)|primary|foreign|partition|cache|next|page"
    r"|csrf(?:middleware)?|lock|hash|meas(?:urement)?)[_. -]?(?:key|token)",
    # What says so of a value by its name, or by what stands before it.
    "<<otherwise>>": r"(?:<<harmless>>|<<others>>|data[_. ]?key"
    r"|(?:mon|hot|tur|whis|don|hoc|joc|short|sub|super)key)<<suffix>>[^a-z0-9]{0,48}(?:\w{1,12}[^a-z0-9]{1,8})?$"
    r"|<<amid>>|(?:insights_key[^a-z0-9]{0,8}|user\.signingkey[^a-z0-9]{0,8}|gpg:[ ]key[ ]"
    r"|amz-credential=|[?&]resourcekey=)$",
    # A trigger that several rules share: the name of a credential, and soon a value that is no identifier.
    "<<nearby>>": r"(?i)(?:<<names>>|<<words>>)<<suffix>>[^A-Za-z0-9]{1,40}"
    r"(?:(?:is|was|bearer|basic|str|bytes|secretstr|apikey|token|[bfru]{1,2})[^A-Za-z0-9]{1,12})?"
    rf"(?:{_LETTER}{{0,3}}[0-9]{_ANY}{{8}}|{_LETTER}{{4,40}}[0-9])",
    # "key" alone, with a UUID or a commit's id, is one of a mapping. That of "api key" is not alone.
    "<<lone>>": r"(?<![A-Za-z0-9_.-])(?:(?i:keys?)=[\"'\\]{0,3}|(?<![A-Za-z0-9][ ])(?i:keys?)<<gap>>)"
    r"(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-f]{40}(?![0-9a-f]{8}))",
    # What is no credential, told by the word in front, which is looked for last: "key" is rarer.
    "<<others>>": "(?=key|token|auth)(?:"
    + "|".join(f"(?<={word})|(?<={word}[_. -])" for word in _OTHERS)
    + ")(?:key|token|auth)",
    # In base64 that is broken into lines any three letters turn up.
    "<<amid>>": r"(?=[A-Za-z+/]{0,31}[0-9])[A-Za-z0-9+/]{32}"
    r"(?:<<names>>|<<words>>)<<suffix>>[^A-Za-z0-9]{0,48}$",
    # Base64 of decimal digits, as many as a bot's number begins with.
    "<<digits64>>": "(?:[MNO][DTjz][AEIMQUYcgk][wxyz0-5]){5}",
    # The beginning of a value of 16 or more characters, with a digit in the first 40: an identifier has none.
    "<<opaque>>": "(?:"
    + "|".join(_LETTER * n + "[0-9]" + _ANY * (15 - n) for n in range(16))
    + f"|{_LETTER}{{16,40}}[0-9])",
    # The end of a run in which a capital follows something else four times, as it does ten times in 44 random
    # characters. Capitals are rare in texts, so this costs a tenth of counting to 44 at every word.
    "<<capitals>>": "[a-z0-9_-][A-Z][A-Za-z0-9_-]*" * 4 + "(?:$|[^A-Za-z0-9_+/=%-])",
    # Between a name and its value: '=', ':', '=>', ',' or HTML tags, with quotes in any state of escaping.
    "<<sep>>": rf"{_NAME_END}(?:{_TYPED}|=>|:=|[=:,]|{_TAGS})\s{{0,8}}(?:[bBfFrRuU]{{0,2}}{_QUOTE}{{1,4}})?",
    # Looser, for values that must look drawn: also white space, bars, arrows and words between.
    "<<gap>>": r"(?:[\"'`\\\])}*]{0,6}(?:[ \t]{0,20}(?:[=!]==?|=>|:=|->|<-|\xe2\x86\x92|\xe2\x94[\x82\x83]"
    r"|(?:::?|[=,|&])(?:[*_]{1,3}(?=[ \t]))?|\.{3,40}"
    rf"|\bis\b:?|\bwas\b:?|{_TYPED}|(?:\s[^<>\n]{{1,60}})?>)(?:\s|\xc2\xa0){{0,20}}"
    r"|\s{0,4}\(\s{0,4}|[ \t]{1,40}(?:str|bytes)[ \t]{1,20}|\s{1,40}|(?=\{)|<<tags>>)"
    r"(?:[\[({]\s{0,20})?(?:-\s{1,4}|!!\w{1,10}\s|(?i:secretstr)\()?"
    r"(?:[bBfFrRuU@]{0,2}[\"'`\\\[({]{1,4}|(?i:(?:bearer|basic|token|apikey)\s+))?)",
    "<<tags>>": rf"\s{{0,8}}{_TAGS}",
    # The same with a quote before the value. A comma only behind a quoted name: getenv("NAME", "value").
    "<<sepq>>": rf"(?:{_NAME_END}(?:{_TYPED}|=>|:=|[=:])\s{{0,8}}|{_QUOTE}{{1,4}},[ ]{{0,4}})"
    rf"[bBfFrRuU]{{0,2}}{_QUOTE}{{1,4}}",
}
_SAMPLE_ROUNDS = 3
_MARK, _MARK_SIZE = MARKED.encode(), len(marker("x" * LONGEST_LABEL))
_RUN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
NOWHERE = Where()

Judged = dict[tuple[str, bytes], bool]
"""What rules, by id, think of values by themselves."""


@dataclass(frozen=True)
class Rule:
    """One form of credential.

    Attributes:
        id: Stable, unique name.
        label: What the marker in its place names.
        pattern: Regular expression over UTF-8 bytes; group ``secret`` (else 1, else all) is the value.
        trigger: Expression for the fast engine; matches wherever ``pattern`` does. Default: ``pattern``.
        before: Bytes before a trigger's end in which ``pattern`` may begin.
        after: Bytes behind a trigger's end in which ``pattern`` may end.
        run: How many letters, digits, ``_`` and ``-`` in a row end where a trigger does, or one byte before:
            other hits are passed over. 0 for any.
        action: ``redact``, or ``report`` for what identifies but does not open anything.
        unless: Regular expression over what stands before the value, from 48 bytes before ``pattern`` on:
            where it matches, this is not what the rule means.
        checks: Names in :data:`.checks.CHECKS` that the value must pass.
        entropy: Least entropy of the value, bits a character.
        source: ``qsec``, the name of a foreign rule set, or the file of a rule of one's own.
        keywords: Texts in lower case of which one must stand in the same text, in whatever case.
        path: Regular expression over the path: the rule holds only where it matches.
        exempt: What the rule leaves alone.
        placeholders: Whether a value that looks made up counts, too: what a foreign rule leaves alone, it
            says itself.
        family: What it is listed under: the name of its file.
        confidence: How sure a match is: ``high`` by structure, ``medium`` by a name, ``low`` by looks.
    """

    id: str
    label: str
    title: str
    severity: Severity
    remedy: str
    pattern: str
    trigger: str = ""
    before: int = 512
    after: int = 512
    run: int = 0
    action: Literal["redact", "report"] = "redact"
    unless: str = ""
    checks: tuple[str, ...] = ()
    entropy: float = 0.0
    source: str = "qsec"
    confidence: Literal["high", "medium", "low"] = "high"
    keywords: tuple[str, ...] = ()
    path: str = ""
    exempt: tuple[Exemption, ...] = ()
    placeholders: bool = False
    linear: bool = False
    family: str = ""
    positive: tuple[str, ...] = field(default=(), repr=False)
    negative: tuple[str, ...] = field(default=(), repr=False)

    @cached_property
    def compiled(self) -> re.Pattern[bytes]:
        """``pattern``, compiled when first needed."""
        return re2_pattern(self.pattern) if self.linear else quick(self.pattern)

    @cached_property
    def _secret(self) -> int:
        """Number of the group ``secret``; 0 when there is none."""
        names = self.compiled.groupindex
        return names.get("secret") or names.get(b"secret") or 0  # type: ignore[call-overload]  # RE2's are bytes

    @cached_property
    def excepting(self) -> re.Pattern[bytes] | None:
        """``unless`` for :mod:`re`."""
        return re.compile(self.unless.encode()) if self.unless else None

    @cached_property
    def _path(self) -> re.Pattern[bytes]:
        return re.compile(self.path.encode())

    @property
    def by_place(self) -> bool:
        """Whether it depends on where a text lies."""
        return bool(self.path) or any(one.by_place for one in self.exempt)

    @property
    def by_line(self) -> bool:
        """Whether it depends on the whole line as it stands in the file."""
        return any(one.target == "line" for one in self.exempt)

    def may_end(self, data: bytes, end: int) -> bool:
        """Tell whether a trigger that ends at ``end`` is worth a look: the engine cannot count quickly."""
        if not self.run:
            return True
        last = end if data[end - 1] in _RUN else end - 1
        first = last - self.run
        if first < 0 or (first and data[first - 1] in _RUN):
            return False
        return not data[first:last].translate(None, _RUN)

    def holds(self, data: bytes, where: Where) -> bool:
        """Tell whether the rule holds for a text at a place."""
        if self.path and not self._path.search(where.name):
            return False
        if not self.keywords:
            return True
        lowered = data.lower()
        return any(word.encode() in lowered for word in self.keywords)

    def value_span(self, match: re.Match[bytes]) -> tuple[int, int]:
        """Return where in the buffer the value of ``match`` lies."""
        if self._secret:
            return match.span(self._secret)
        for group in range(1, self.compiled.groups + 1):
            if match[group]:
                return match.span(group)
        return match.span()

    def accepts(self, value: str) -> bool:
        """Tell whether a matched value may be a secret."""
        if not self.placeholders and placeholder(value):
            return False
        if entropy(value) < self.entropy:
            return False
        return all(CHECKS[name](value) for name in self.checks)

    def find(
        self, data: bytes, start: int, stop: int, where: Where = NOWHERE, judged: Judged | None = None
    ) -> list[tuple[int, int]]:
        """Return the spans of accepted values of matches within ``data[start:stop]``.

        Args:
            data: A text.
            start: Where matches may begin.
            stop: Where they end.
            where: Where the text lies.
            judged: What is known of values already; one is met several times in a scan.
        """
        found: list[tuple[int, int]] = []
        judged = {} if judged is None else judged
        at = start
        if not self.holds(data, where):
            return found
        while match := self.compiled.search(data, at, stop):
            if match.end() == stop < len(data):  # cut off by the window: see how it goes on
                match = self.compiled.match(data, match.start(), stop + ROOM) or match
            begin, end = self.value_span(match)
            at = max(match.end(), at + 1)
            if self._takes(data, match.span(), (begin, end), where, judged):
                found.append((begin, end))
            elif begin > match.start():  # "credentials: key=...": the name of another may be in it
                at = begin
        return found

    def _takes(
        self, data: bytes, match: tuple[int, int], value: tuple[int, int], where: Where, judged: Judged
    ) -> bool:
        begin, end = value
        if _marked(data, match[0], begin):
            return False
        if self.excepting and self.excepting.search(data[max(0, match[0] - 48) : begin]):
            return False
        if any(one.covers(data, match, value, where) for one in self.exempt):
            return False
        one = (self.id, data[begin:end])
        if one not in judged:
            judged[one] = end > begin and self.accepts(one[1].decode("utf-8", "replace"))
        return judged[one]


def _marked(data: bytes, start: int, value: int) -> bool:
    """Tell whether a match begins within a marker, whose label names nothing of what stands behind it."""
    opening = data.rfind(_MARK, max(0, start - _MARK_SIZE), value)
    if opening < 0 or opening >= start:
        return False
    return start < data.find(b"]", opening, opening + _MARK_SIZE) < value


def re2_pattern(pattern: str) -> re.Pattern[bytes]:
    """Return ``pattern`` compiled by RE2, which has the interface of :mod:`re`.

    Raises:
        ValueError: RE2 does not take it.
        ImportError: There is no RE2.
    """
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # an expression is over bytes
    options.log_errors = False
    try:
        compiled: re.Pattern[bytes] = re2.compile(pattern.encode(), options)
    except re2.error as error:
        raise ValueError("RE2 does not take it") from error
    return compiled


def load(folder: Path = FOLDER, files: Sequence[Path] = ()) -> list[Rule]:
    """Return the rules of every ``*.toml`` in ``folder``, by file name and position, then those of ``files``.

    Raises:
        Invalid: ``rule.invalid`` with file and rule, when one does not parse or repeats an id.
    """
    rules: dict[str, Rule] = {}
    for path in (*sorted(folder.glob("*.toml")), *files):
        for entry in _tables(path):
            rule = parse(entry, path.name)
            if rule.id in rules:
                raise _invalid(path.name, rule.id, "the id is taken")
            rules[rule.id] = rule
    return list(rules.values())


def _tables(path: Path) -> list[dict[str, Any]]:
    try:
        tables: list[dict[str, Any]] = toml.loads(path.read_text("utf-8")).get("rule", [])
    except (OSError, ValueError) as error:
        raise _invalid(str(path), "of any name", "the file cannot be read as TOML") from error
    return tables


def parse(entry: dict[str, Any], file: str) -> Rule:
    """Return the rule that a ``[[rule]]`` table describes.

    Raises:
        Invalid: ``rule.invalid`` with file and rule, when a field is missing, unknown or wrong.
    """
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()
    }
    name = str(entry.get("id", "without an id"))
    for key in ("pattern", "trigger", "unless"):
        for macro, text in [*_MACROS.items()] * 3:  # macros use macros
            values[key] = str(values.get(key, "")).replace(macro, text)
    values["trigger"] = values["trigger"] or values["pattern"]
    values.setdefault("family", file.rsplit(".", 1)[0])
    if why := wrong(values):
        raise _invalid(file, name, why)
    try:
        rule = Rule(**values)
        assert rule.compiled
        re.compile(rule.trigger.encode())
    except (TypeError, re.error, OverflowError, RecursionError) as error:
        raise _invalid(file, name, "it does not parse") from error
    if unknown := set(rule.checks) - CHECKS.keys():
        raise _invalid(file, rule.id, f"unknown checks {', '.join(sorted(unknown))}")
    return rule


def _invalid(file: str, rule: str, why: str) -> Invalid:
    return Invalid(
        "rule.invalid", "A rule cannot be used", f"{file}, rule {rule}: {why}.", "Correct the file."
    )


def prove(rule: Rule, seed: int = 0) -> None:
    """Check that ``rule`` and its trigger find each positive sample, all of it, and the rule no negative one.

    Raises:
        Bug: ``rule.unproven`` with the template that failed.
    """
    import random  # with the samples, only for rules that are compiled anew

    from .samples import fill

    source = random.Random(f"{rule.id}/{seed}")  # noqa: S311  # samples, not keys
    trigger = re.compile(rule.trigger.encode())
    for _ in range(_SAMPLE_ROUNDS):
        for template in rule.positive:
            text, drawn = fill(template, source)
            data = text.encode()
            values = [data[a:b].decode() for a, b in rule.find(data, 0, len(data))]
            if not any(max(drawn, key=len) in value for value in values) or not trigger.search(data):
                raise _unproven(rule, "misses", template)
        for template in rule.negative:
            data = fill(template, source)[0].encode()
            if rule.find(data, 0, len(data)):
                raise _unproven(rule, "wrongly finds", template)


def _unproven(rule: Rule, what: str, template: str) -> Bug:
    return Bug("rule.unproven", "A rule fails its own samples", f"{rule.id} {what} {template!r}.")
