"""One credential that lies in plain text somewhere."""

from __future__ import annotations

from dataclasses import dataclass

from ....core.secret import Secret


@dataclass(frozen=True, slots=True)
class Plain:
    """What was found, where; its repr shows no value.

    Attributes:
        vendor: Whose credential it is, e.g. ``ibm``.
        kind: ``file``, ``environment``, ``notebook`` or ``history``.
        where: Path, variable, or commit and path.
        key: The dotted name within the file, empty when there is none.
        value: The secret; ``None`` where only the scanner saw it (notebooks and history).
        note: What a person should know, e.g. that others can read the file.
        line: Line within the file or cell, 0 when not known.
    """

    vendor: str
    kind: str
    where: str
    key: str
    value: Secret | None
    note: str = ""
    line: int = 0

    @property
    def id(self) -> str:
        """Return the name by which ``qsec import`` takes it."""
        return f"{self.where}#{self.key}" if self.key else self.where
