"""Every way out of a notebook that a Jupyter Server knows of, looked at when it is asked.

A hook that somebody removed, a manager that does not call it, an extension that is loaded: a row
says what is in place at this moment. Nothing here is a promise.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jupyter_core.utils import ensure_async
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine

from ...core.classification import Treatment
from .. import export
from ..collaboration import Collaboration
from ..save.contents import GuardedContents
from ..save.guard import SaveGuard
from . import git
from .row import Row, State, row

_STATES: dict[Treatment, State] = {"redact": "redacted", "block": "scanned", "show": "reported"}
_DOCUMENTS = "jupyter_server_documents"


class Coverage:
    """Says what is covered.

    Args:
        serverapp: The running server.
        contents: The guard on its contents manager.
        guard: What scans.
        collaboration: What follows shared documents.
        kernels: Has ``ids()``, the kernels that redact what they send.
    """

    def __init__(
        self,
        serverapp: Any,
        contents: GuardedContents,
        guard: SaveGuard,
        collaboration: Collaboration,
        kernels: Any,
    ) -> None:
        self._serverapp = serverapp
        self._contents = contents
        self._guard = guard
        self._collaboration = collaboration
        self._kernels = kernels

    async def rows(self, path: str) -> list[dict[str, str]]:
        """Return the rows for the file at ``path``."""
        path = path.strip("/")
        guarded = await self._kernel_guarded(path)
        return await asyncio.to_thread(self._rows, path, guarded)

    def _rows(self, path: str, guarded: bool) -> list[dict[str, str]]:
        found = [
            *self._saves(path),
            *self._moves(path),
            *self._reads(),
            *self._shared(path),
            *self._kernel(guarded),
            *self._tools(path),
        ]
        return [asdict(one) for one in found]

    # -- what is written through the contents manager -----------------------------------------------

    def _saves(self, path: str) -> Iterator[Row]:
        policy, last = self._guard.policy, self._guard.report(path)
        name = last.data_class if last else policy.default
        rule = policy.rules[name]  # type: ignore[index]  # a class of this policy
        hooked = self._contents.hooked()
        notes = [
            f"data class {name}",
            f"last scanned {last.saved_at}" if last else "not saved by this server yet",
        ]
        if not self._guard.policy_told:
            notes.append("the control plane has told no rules yet, the shipped ones hold")
        if not self._contents.asynchronous:
            notes.append("the contents manager is synchronous: the scan runs on the server's loop")
        for surface, treatment in (("source", rule.source), ("outputs, metadata, attachments", rule.outputs)):
            for route in ("save, save as, autosave", "copy", "upload"):
                yield row(surface, route, hooked, _STATES[treatment], "save hook", "; ".join(notes))
        yield row("images", "save", False, "redacted", "", "what is drawn in an image is not read")
        note = "written as it is: a marker would break what reads it"
        state: State = "scanned" if rule.files == "block" else "reported"
        yield row("other text files", "save, upload", hooked, state, "save hook", note)
        if any("jupytext" in base.__module__ for base in type(self._contents.manager).__mro__):
            active = "save" in self._contents.routes()
            note = "a notebook is redacted before its text form is made of it"
            yield row("paired text", "jupytext", active, _STATES[rule.source], "save scan", note)

    def _moves(self, path: str) -> Iterator[Row]:
        routes, on_disk = self._contents.routes(), self._contents.locate() is not None
        note = "" if on_disk else "this contents manager keeps no files on disk"
        chunks = note or "read when its last chunk has come, or a minute after the last that came"
        yield row(
            "notebook", "upload in chunks", "save" in routes and on_disk, "redacted", "disk scan", chunks
        )
        active = "rename_file" in routes and on_disk
        yield row("notebook", "rename, move", active, "redacted", "disk scan", note)
        yield row(
            "notebook",
            "copy or move of a folder",
            False,
            "redacted",
            "",
            "its notebooks are read when saved next",
        )
        clean = self._contents.checkpoint_clean(path) if on_disk else None
        told = {True: "its checkpoint was read", False: "its checkpoint is read at the next save"}
        note = (
            told.get(clean, "it has no checkpoint") if clean is not None else "it has no checkpoint on disk"
        )
        yield row(
            "notebook", "checkpoint", "create_checkpoint" in routes and on_disk, "redacted", "disk scan", note
        )
        active = "restore_checkpoint" in routes and on_disk
        yield row(
            "notebook", "restore a checkpoint", active, "redacted", "disk scan", "cleaned before and after"
        )
        trash = bool(getattr(self._contents.manager, "delete_to_trash", False))
        active = trash and "delete_file" in routes and on_disk
        note = "read before it goes there; what lies there already is not" if trash else "nothing goes there"
        yield row("notebook", "trash", active, "redacted", "disk scan", note)

    # -- what is read past the contents manager -------------------------------------------------------

    def _reads(self) -> Iterator[Row]:
        active = self._files_guarded()
        note = (
            "sent with markers; the file stays as it is"
            if active
            else "this server's file handler is not ours"
        )
        yield row("notebook", "/files, download", active, "redacted", "download scan", note)
        files = self._guard.policy.of().rule.files
        state: State = "scanned" if files == "block" else "reported"
        yield row("other text files", "/files, download", active, state, "download scan", "")
        active = export.registered(self._serverapp.web_app.settings.get("config", {}))
        yield row("notebook", "Save and Export, nbconvert here", active, "redacted", "preprocessor", "")

    def _files_guarded(self) -> bool:
        """Ask the server's own router who answers for a file."""
        app = self._serverapp.web_app
        line = RequestStartLine("GET", f"{app.settings['base_url']}files/x", "HTTP/1.1")
        request = HTTPServerRequest(start_line=line, headers=HTTPHeaders({"Host": "localhost"}))
        handler = getattr(app.find_handler(request), "handler_class", None)
        return getattr(handler, "__name__", "") == "GuardedFilesHandler"

    # -- what is shared while it is edited -------------------------------------------------------------

    def _shared(self, path: str) -> Iterator[Row]:
        if self._collaboration.extension() is not None:
            rooms = self._collaboration.rooms(path)
            purge = all(map(self._collaboration.can_purge, rooms))
            note = "replaced for everybody after the save that found it"
            yield row("outputs", "shared document", True, "redacted", "collaboration", note)
            note = "its author chooses; until then every participant sees it"
            yield row("source, metadata", "shared document", True, "reported", "collaboration", note)
            note = (
                "its history is replaced after a save that found something; what is in the document stays"
                if purge
                else "this store's history cannot be replaced"
            )
            yield row("every change", "store of shared documents", purge, "redacted", "collaboration", note)
        if self._serverapp.extension_manager.extension_apps.get(_DOCUMENTS):
            note = "outputs lie in files of their own"
            yield row("outputs", _DOCUMENTS, False, "redacted", "", note)

    # -- what leaves by the kernel or by other programs ------------------------------------------------

    async def _kernel_guarded(self, path: str) -> bool:
        sessions = await ensure_async(self._serverapp.session_manager.list_sessions())
        guarded = set(self._kernels.ids())
        return any(
            str(one.get("path", "")).removeprefix("RTC:") == path and one["kernel"]["id"] in guarded
            for one in sessions
        )

    def _kernel(self, guarded: bool) -> Iterator[Row]:
        note = (
            "values that were issued; others are found at the save"
            if guarded
            else "no kernel with qsec's hooks runs"
        )
        for route in ("screen", "clipboard"):
            yield row("outputs", route, guarded, "redacted", "kernel redaction", note)
        note = "the kernel writes it by itself; it is read when it is renamed, exported or downloaded"
        yield row("notebook", "%notebook, %save, files a kernel writes", False, "redacted", "", note)
        yield row("source", "undo history, browser storage", False, "redacted", "", "it stays in the browser")
        yield row("source", "clipboard", False, "redacted", "", "it is the author's own text")

    def _tools(self, path: str) -> Iterator[Row]:
        note = "unless it is written to qsec:NAME.ipynb"
        yield row("notebook", "papermill", False, "redacted", "", note)
        note = "unless Exporter.preprocessors names qsec_jupyter.server.nbconvert.RedactPreprocessor"
        yield row("notebook", "nbconvert on the command line", False, "redacted", "", note)
        locate = self._contents.locate()
        if locate is not None and inspect.ismethod(locate):
            yield from git.rows(Path(locate(path)))
