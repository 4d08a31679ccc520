"""Downloads: ``/files`` reads the disk past every save hook, so what it sends is scanned here."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from tornado import web

from .save.contents import GuardedContents
from .save.disk import READ_LIMIT
from .save.guard import SaveGuard
from .save.treatment import Refused

ROUTE = r"/files/(.*)"


def guarded(handler: type[Any]) -> type[Any]:
    """Return a file handler that scans what ``handler`` would send.

    A notebook is sent with markers in the place of secrets; the file on disk stays as it is, since
    whoever wrote it past the server may still need it. Another text file is sent as it is, or not at
    all where its data class blocks it.
    """

    class GuardedFilesHandler(handler):
        """Serves files, scanned."""

        def initialize(self, guard: SaveGuard, **params: Any) -> None:
            """Take the scanner, and what the original handler takes."""
            self.qsec = guard
            super().initialize(**params)

        @web.authenticated
        @authorized("read", resource="contents")
        async def head(self, path: str) -> None:
            """Answer without a body; its length is that of what would be sent."""
            answered: Any = self.get(path, include_body=False)
            await answered

        @web.authenticated
        @authorized("read", resource="contents")
        async def get(self, path: str, include_body: bool = True) -> None:
            """Send the file at ``path``."""
            self.check_xsrf_cookie()
            root, self.path = self.root, self.parse_url_path(path)
            file = self.validate_absolute_path(root, self.get_absolute_path(root, self.path))
            text = await asyncio.to_thread(_checked, self.qsec, Path(file), path) if file else None
            if text is None:
                sent: Any = web.StaticFileHandler.get(self, path, include_body=include_body)
                await sent
                return
            self.set_attachment_header(path.rsplit("/", 1)[-1])
            self.set_header("Content-Type", "application/x-ipynb+json")
            self.set_header("Content-Length", str(len(text)))
            self.set_header("Cache-Control", "no-cache")
            if include_body:
                await self.finish(text)

        def set_headers(self) -> None:
            """Name a download as the original handler does."""
            super().set_headers()
            name = self.path.rsplit("/", 1)[-1]
            if name.endswith(".ipynb") or self.get_argument("download", None):
                self.set_attachment_header(name)

    return GuardedFilesHandler


def _checked(guard: SaveGuard, file: Path, path: str) -> bytes | None:
    """Return what to send instead of the file, or ``None`` to send it as it is.

    Raises:
        HTTPError: 403 where the data class blocks it.
    """
    if file.stat().st_size > READ_LIMIT:
        guard.unscanned(path, "larger than 512 MB; it was downloaded as it is")
        return None
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    name = (
        path if path.endswith(".ipynb") else path + ("" if not path.lower().endswith(".ipynb") else ".ipynb")
    )
    result, classified = guard.scan_text(text, name)
    if result.findings:
        guard.publish(path, result, classified)
    if isinstance(result, Refused):
        raise web.HTTPError(403, result.message.replace("Nothing was saved", "Nothing was sent"))
    return result.redacted.encode("utf-8", "surrogatepass") if isinstance(result.redacted, str) else None


def available(contents: GuardedContents) -> bool:
    """Say whether downloads can be scanned: only files on disk are."""
    handler = getattr(contents.manager, "files_handler_class", None)
    return isinstance(handler, type) and issubclass(handler, web.StaticFileHandler)
