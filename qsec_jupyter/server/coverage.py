"""Which ways a secret can take out of a notebook are covered on this server, as things stand now.

Every row looks at what is in place at the moment it is asked: a hook that somebody removed, a
manager that does not call it, an extension that is loaded. Nothing here is a promise.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .save.contents import GuardedContents
from .save.guard import SaveGuard

State = Literal["redacted", "scanned", "reported", "not covered"]


@dataclass(frozen=True, slots=True)
class Row:
    """One surface on one way out.

    Attributes:
        surface: What would leave.
        route: By which way.
        state: ``redacted``: what is found is replaced. ``scanned``: read, nothing is replaced and
            what is found is blocked or told. ``reported``: found afterwards. ``not covered``.
        by: What does it; empty when nothing does.
        note: What to know of it.
    """

    surface: str
    route: str
    state: State
    by: str
    note: str


class Coverage:
    """Says what is covered.

    Args:
        serverapp: The running server.
        contents: The guard on its contents manager.
        guard: What scans.
    """

    def __init__(self, serverapp: Any, contents: GuardedContents, guard: SaveGuard) -> None:
        self._serverapp = serverapp
        self._contents = contents
        self._guard = guard

    def rows(self, path: str) -> list[dict[str, str]]:
        """Return the rows for the file at ``path``."""
        return [asdict(row) for row in (*self._saves(path), *self._copies(path))]

    # -- what comes past the contents manager -------------------------------------------------------

    def _saves(self, path: str) -> Iterator[Row]:
        rule = self._guard.policy.of().rule
        hooked, wrapped = self._contents.hooked(), self._contents.routes()
        by = "save hook" if hooked else ""
        where = (
            "off the server's loop" if "save" in wrapped and self._contents.asynchronous else "in the save"
        )
        last = self._guard.report(path)
        seen = f"last scanned {last.saved_at}" if last else "not saved by this server yet"
        told = "" if self._guard.policy_told else "; shipped rules, the control plane has told none yet"
        for surface, treatment in (("source", rule.source), ("outputs, metadata, attachments", rule.outputs)):
            state: State = {"redact": "redacted", "block": "scanned", "show": "reported"}[treatment]  # type: ignore[assignment]
            note = f"{treatment} in class {self._guard.policy.default} ({where}); {seen}{told}"
            for route in ("save, save as, autosave", "copy"):
                yield _row(surface, route, hooked, state, by, note)
        told = "written as they are: a marker would break what reads them"
        state = "scanned" if rule.files == "block" else "reported"
        yield _row("other text files", "save, upload", hooked, state, by, told)
        yield _row(
            "notebook", "upload in chunks", "save" in wrapped, "redacted", "upload scan",
            "scanned when its last chunk has come, or a minute after the last that came",
        )  # fmt: skip
        yield _row("notebook", "rename, move", "rename_file" in wrapped, "redacted", "rename scan", "")

    def _copies(self, path: str) -> Iterator[Row]:
        wrapped = self._contents.routes()
        clean = self._contents.checkpoint_clean(path)
        yield _row(
            "notebook", "checkpoint", "create_checkpoint" in wrapped, "redacted", "checkpoint scan",
            {True: "its checkpoint was read and is clean", None: "it has no checkpoint"}.get(
                clean, "its checkpoint is read at the next save"
            ),
        )  # fmt: skip
        yield _row(
            "notebook", "restore a checkpoint", "restore_checkpoint" in wrapped, "redacted",
            "checkpoint scan", "the checkpoint is cleaned before it is restored",
        )  # fmt: skip


def _row(surface: str, route: str, active: bool, state: State, by: str, note: str) -> Row:
    return Row(surface, route, state if active else "not covered", by if active else "", note)
