"""Carries out a share on a Jupyter Server: reads, copies, records, writes."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime, timezone
from typing import Any

from jupyter_core.utils import ensure_async
from tornado.web import HTTPError

from ..core.classification import Classified
from ..core.errors import Conflict, Invalid, NotFound, QsecError, Unavailable
from ..core.model import rfc3339
from .control_plane import ControlPlane
from .save import SaveGuard
from .share import Copy, Keep, default_path, make_copy, record, report, report_path

_COPIES = 1000


class Sharing:
    """Shares notebooks of a contents manager.

    Args:
        manager: Where notebooks are read and copies are written.
        guard: Has the scanner and the data classes.
        control: Records each share.
    """

    def __init__(self, manager: Any, guard: SaveGuard, control: ControlPlane) -> None:
        self._manager = manager
        self._guard = guard
        self._control = control

    async def share(self, path: str, keep: Keep, to: str | None = None) -> dict[str, Any]:
        """Write a copy of the notebook at ``path`` that may be given away, and a report beside it.

        What is shared is what lies on disk, not what an open tab has not saved yet.

        Raises:
            NotFound: ``share.no_notebook``.
            Conflict: ``share.exists`` when something lies at ``to`` already.
            Invalid: ``share.not_notebook``, ``share.path``.
            Unavailable: ``share.unwritable``.
        """
        path = path.strip("/")
        notebook = await self._read(path)
        target = await self._target(path, to)
        shared = await asyncio.to_thread(make_copy, notebook, path, keep, self._guard.scanner)
        classified = self._guard.policy.of(notebook)
        share_id = await self._record(shared, path, target, classified)
        text = report(shared, path, target, classified, share_id, rfc3339(datetime.now(timezone.utc)))
        await self._write(target, shared.text)
        await self._write(report_path(target), text)
        return {
            "path": target,
            "report": report_path(target),
            "findings": [asdict(one) for one in shared.findings],
            "removed": shared.removed,
            "share_id": share_id,
            "recorded": share_id is not None,
        }

    async def _read(self, path: str) -> Any:
        try:
            model = await ensure_async(self._manager.get(path, content=True, type="notebook"))
        except HTTPError as error:
            if error.status_code == 404:
                raise NotFound("share.no_notebook", "There is no such notebook") from error
            raise Invalid(
                "share.not_notebook", "The notebook cannot be read", "The file is not one."
            ) from error
        return model["content"]

    async def _target(self, path: str, to: str | None) -> str:
        if to is not None:
            target = to.strip("/")
            if not target.endswith(".ipynb") or target == path:
                raise Invalid(
                    "share.path", "The copy is a notebook beside the original", "It ends in .ipynb."
                )
            if await self._exists(target) or await self._exists(report_path(target)):
                raise Conflict("share.exists", "Something lies there already", remedy="Choose another name.")
            return target
        stem = default_path(path).removesuffix(".ipynb")
        for number in range(_COPIES):
            target = f"{stem}{f'-{number}' if number else ''}.ipynb"
            if not (await self._exists(target) or await self._exists(report_path(target))):
                return target
        raise Conflict("share.exists", "There are too many copies already", remedy="Delete some of them.")

    async def _exists(self, path: str) -> bool:
        return bool(await ensure_async(self._manager.exists(path)))

    async def _record(self, shared: Copy, source: str, target: str, classified: Classified) -> str | None:
        try:
            return await record(self._control, shared, source, target, classified)
        except QsecError as error:
            self._guard.log.error("qsec: a share was not recorded (%s)", error.code)
            return None

    async def _write(self, path: str, text: str) -> None:
        model = {"type": "file", "format": "text", "content": text}
        try:
            await ensure_async(self._manager.save(model, path))
        except HTTPError as error:
            raise Unavailable(
                "share.unwritable",
                "The copy could not be written",
                f"The server refused with status {error.status_code}.",
                "Free some space, or choose another folder.",
            ) from error
