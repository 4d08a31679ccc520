"""Real-time collaboration: the shared document and its store follow what a save has found.

jupyter-collaboration saves through the contents manager, so the file is redacted; but the connected
tabs go on showing the document, and its store keeps every change ever made to it. After a save with
findings the outputs are replaced in the shared document, for everybody; a source cell is left to its
author. Then the store's history of that document is replaced by the document as it is now.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from .save.guard import SaveGuard
from .save.report import ScanReport

EXTENSION = "jupyter_server_ydoc"


class Collaboration:
    """Follows the scans of one server.

    Args:
        serverapp: The running server.
        guard: Has the scanner.
        log: The Jupyter Server's logger.
    """

    def __init__(self, serverapp: Any, guard: SaveGuard, log: logging.Logger) -> None:
        self._serverapp = serverapp
        self._guard = guard
        self._log = log
        self._stained: set[str] = set()  # paths whose store holds what a scan has found

    def extension(self) -> Any:
        """Return jupyter-collaboration's extension when it is loaded, else ``None``."""
        manager = getattr(self._serverapp, "extension_manager", None)
        for app in (manager.extension_apps if manager else {}).get(EXTENSION, ()):
            if getattr(app, "ywebsocket_server", None) is not None:
                return app
        return None

    def rooms(self, path: str) -> list[Any]:
        """Return the rooms in which the file at ``path`` is open."""
        extension = self.extension()
        every = list(extension.ywebsocket_server.rooms.values()) if extension else []
        return [room for room in every if str(_path(room)).strip("/") == path]

    @staticmethod
    def can_purge(room: Any) -> bool:
        """Say whether the store behind a room is one whose history can be replaced."""
        store = getattr(room, "ystore", None)
        return all(hasattr(store, name) for name in ("lock", "_db", "db_initialized", "path"))

    async def follow(self, report: ScanReport) -> None:
        """Bring the shared document and its store in step with a scan; called on the server's loop."""
        found = any(one.action in {"redacted", "reported"} for one in report.findings)
        if not found and report.path not in self._stained:
            return
        self._stained.add(report.path)
        cells = {
            one.cell_id for one in report.findings if one.surface == "output" and one.action == "redacted"
        }
        done = True
        for room in self.rooms(report.path):
            try:
                for cell_id in cells - {None}:
                    await self._redact_outputs(room, str(cell_id), report.path)
                done &= await self._purge(room)
            except Exception as error:  # noqa: BLE001  # the file is clean; what is shared is said not to be
                done = False
                self._log.error("qsec: a shared document was not brought in step (%s)", type(error).__name__)
        if done and not found:
            self._stained.discard(report.path)

    async def _redact_outputs(self, room: Any, cell_id: str, path: str) -> None:
        document = room._document
        index = _index(document, cell_id)
        if index is None:
            return
        cell = document.get_cell(index)
        alone = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
        result = await asyncio.to_thread(self._guard.scanner.scan_notebook, alone, path)
        outputs = result.cells.get("0", {}).get("outputs")
        index = _index(document, cell_id)  # cells may have moved meanwhile
        if outputs is None or index is None or document.get_cell(index).get("outputs") != cell["outputs"]:
            return  # what changed meanwhile is seen by the next save
        with document._ydoc.transaction():
            shared = document.ycells[index]["outputs"]
            shared.clear()
            shared.extend([_shared(output) for output in outputs])

    async def _purge(self, room: Any) -> bool:
        """Put the document as it is now in the place of its history; say whether that was possible."""
        if not self.can_purge(room):
            return getattr(room, "ystore", None) is None
        document, store = room._document, room.ystore
        if getattr(document, "undo_manager", None) is not None:
            document.undo_manager.clear()  # it holds on to what was deleted
        await store.db_initialized.wait()
        async with store.lock:
            # A copy: the room's own document may still hold what was deleted in this very moment.
            state = _compacted(document._ydoc.get_update())
            compress = getattr(store, "_compress", None)
            async with store._db:
                cursor = await store._db.cursor()
                await cursor.execute("PRAGMA secure_delete = ON")
                for table in ("yupdates", "ycheckpoints"):
                    await cursor.execute(f"DELETE FROM {table} WHERE path = ?", (store.path,))  # noqa: S608
                await cursor.execute(
                    "INSERT INTO yupdates VALUES (?, ?, ?, ?)",
                    (store.path, compress(state) if compress else state, None, time.time()),
                )
        return True


def _path(room: Any) -> Any:
    return getattr(getattr(room, "_document", None), "path", None) or ""


def _index(document: Any, cell_id: str) -> int | None:
    if not hasattr(document, "ycells"):
        return None
    return next((i for i, cell in enumerate(document.ycells) if cell.get("id") == cell_id), None)


def _shared(output: dict[str, Any]) -> Any:
    from pycrdt import Map, Text

    text = output.get("text")
    if output.get("output_type") == "stream" and text is not None:
        output = {**output, "text": Text(text if isinstance(text, str) else "".join(text))}
    return Map(output)


def _compacted(update: bytes) -> bytes:
    from pycrdt import Doc

    copy: Any = Doc()
    copy.apply_update(update)
    compacted: bytes = copy.get_update()
    return compacted
