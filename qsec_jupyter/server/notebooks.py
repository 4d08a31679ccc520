"""Which notebook a kernel belongs to, and the digest of it as it lies in the contents manager.

``JPY_SESSION_NAME`` in a kernel is stale after a rename; the server knows. The stored file may differ from
what was executed: a record therefore holds both this digest and those of the executed cells.
"""

from __future__ import annotations

from typing import Any

from jupyter_core.utils import ensure_async
from tornado.web import HTTPError

from ..core.classification import named


class Notebooks:
    """Answers for the kernels of one server.

    Args:
        sessions: The server's session manager.
        contents: Its contents manager.
    """

    def __init__(self, sessions: Any, contents: Any) -> None:
        self._sessions = sessions
        self._contents = contents
        self._known: dict[str, tuple[Any, str | None]] = {}

    async def of(self, kernel_id: str) -> dict[str, Any] | None:
        """Return ``{"path", "sha256", "saved_at"}`` of a kernel's notebook; ``None`` when it has none.

        ``sha256`` is over the stored file's bytes, and ``None`` where the contents manager gives no digest.
        """
        path = await self.path(kernel_id)
        if path is None:
            return None
        try:
            model = await ensure_async(self._contents.get(path, content=False))
        except (HTTPError, OSError):
            return None  # a console, or a file that is gone
        saved = model.get("last_modified")
        known = self._known.get(path)
        if known is None or known[0] != saved:
            known = self._known[path] = (saved, await self._digest(path))
        return {"path": path, "sha256": known[1], "saved_at": saved.isoformat() if saved else None}

    async def path(self, kernel_id: str) -> str | None:
        """Return the path of a kernel's notebook; ``None`` when it has none."""
        try:
            session = await ensure_async(self._sessions.get_session(kernel_id=kernel_id))
            return str(session["path"]).removeprefix("RTC:")  # real-time collaboration's drive
        except (HTTPError, KeyError, TypeError):
            return None

    async def data_class(self, kernel_id: str) -> str | None:
        """Return the data class that a kernel's notebook names, as it lies in the contents manager."""
        path = await self.path(kernel_id)
        if path is None:
            return None
        try:
            model = await ensure_async(self._contents.get(path, type="notebook"))
        except (HTTPError, OSError):
            return None  # a console, or a file that is gone
        wish = named(model.get("content"))
        return None if wish is None else str(wish)

    async def _digest(self, path: str) -> str | None:
        try:
            model = await ensure_async(self._contents.get(path, content=False, require_hash=True))
        except (HTTPError, OSError, TypeError):  # TypeError: a contents manager that knows no hashes
            return None
        return str(model["hash"]) if model.get("hash_algorithm") == "sha256" else None
