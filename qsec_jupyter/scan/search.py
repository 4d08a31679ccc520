"""Everything that one scan looks for: the rules as they hold at a place, and the values issued by now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from .literals import Literals
from .redact import Hit
from .rules.exemptions import Where
from .rules.loader import Judged, Rule
from .ruleset import RuleSet, Seen
from .units import Unit

if TYPE_CHECKING:
    from . import decode


@dataclass(frozen=True)
class Search:
    """Rules and values for the texts of one file.

    Args:
        rules: Compiled rules.
        literals: The engine for issued values; ``None`` when there are none.
        where: Where the texts lie: some rules hold in some files only.
        judged: What a rule thinks of a value by itself; it is asked once in a scan.
    """

    rules: RuleSet
    literals: Literals | None
    where: Where
    judged: Judged = field(default_factory=dict, repr=False)

    @property
    def mark(self) -> Where | None:
        """What a text that was clean must be remembered with; ``None`` when it is clean anywhere."""
        return self.where if self.rules.by_place else None

    def begins(self, data: bytes, seen: Seen) -> Iterator[int]:
        """Yield where values of confirmed matches begin, and of what is to be decoded, in what was seen."""
        if self.literals:
            found, parts = self.literals.look(data)
            for _, begin, _ in found:
                yield begin
            for end in parts:
                yield end - 1
        for _, begin, _ in self.rules.confirm(seen.windows, data, self.where, self.judged):
            yield begin
        for ends in (seen.encoded, *seen.tables.values()):
            yield from (end - 1 for end in ends)

    def everything(self, data: bytes) -> Iterator[tuple[Hit, int, int]]:
        """Yield every hit in ``data``, with where it begins and ends there."""
        for rule, begin, end in self._read_otherwise(data):
            yield _hit(rule, 0, 0, (begin, end), data[begin:end]), begin, end
        if self.literals:
            for index, begin, end in self.literals.find(data):
                yield self.literals.hit(index, 0, 0, (begin, end)), begin, end

    def _read_otherwise(self, data: bytes) -> Iterator[tuple[Rule, int, int]]:
        """Yield what rules find in what a text stands for, where its lines are not those of the file."""
        windows = [one for one in self.rules.windows(data) if not one[0].by_line]
        return self.rules.confirm(windows, data, self.where, self.judged)

    def hits(self, unit: Unit, group: int, position: int, seen: Seen | None = None) -> Iterator[Hit]:
        """Yield every hit in a unit, also in what its notations stand for.

        Args:
            unit: The unit.
            group: Number of its group.
            position: Its position there.
            seen: What the engines see in it, where that is known.
        """
        data = unit.data
        seen = seen or self.rules.look(data, close=unit.close)
        encoded = seen.encoded + (self.literals.look(data)[1] if self.literals else [])
        for rule, begin, end in self.rules.confirm(seen.windows, data, self.where, self.judged):
            span = unit.span(begin, end)
            if span is not None:
                yield _hit(rule, group, position, span, data[begin:end])
        places = [span for end in encoded if (span := unit.span(end - 1, end))]
        tables = {
            kind: [span[1] for end in ends if (span := unit.span(end - 1, end))]
            for kind, ends in seen.tables.items()
        }
        if places or tables:
            from . import decode  # most texts hold no notations

            for view in decode.views(unit.text, places, tables):
                yield from self._view_hits(view, unit, group, position)
        yield from self.literals.hits(unit, group, position) if self.literals else ()

    def _view_hits(self, view: decode.View, unit: Unit, group: int, position: int) -> Iterable[Hit]:
        """Yield what a decoded text holds, at the characters that it was decoded from."""
        shown = Unit(unit.surface, view.text, None, None, unit.name)
        for rule, begin, end in self._read_otherwise(shown.data):
            span = shown.span(begin, end)
            if span is not None:
                yield _hit(rule, group, position, view.locate(*span), shown.data[begin:end])
        for hit in self.literals.hits(shown, group, position) if self.literals else ():
            start, end = view.locate(hit.start, hit.end)
            yield replace(hit, start=start, end=end)


def _hit(rule: Rule, group: int, position: int, span: tuple[int, int], value: bytes) -> Hit:
    return Hit(
        group,
        position,
        *span,
        rule.id,
        rule.label,
        rule.title,
        rule.severity,
        rule.remedy,
        value.decode("utf-8", "surrogatepass"),
        redact=rule.action == "redact",
        confidence=rule.confidence,
    )
