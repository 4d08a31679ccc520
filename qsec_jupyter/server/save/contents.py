"""Stands before a contents manager: every way of a file through it comes past the guard.

Jupyter's pre-save hook is called for saves and copies, and on the server's loop. So each method that
writes is wrapped on the manager itself: the scan runs on a thread before the save begins, and
renaming, restoring, uploading in chunks and deleting are seen, too. The hook stays as the last
gate: what comes to the disk by another way than the wrapped ``save`` is scanned there.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tornado.web import HTTPError

from . import disk
from .wrappers import Async, Sync

if TYPE_CHECKING:
    from .guard import SaveGuard

UPLOAD_IDLE_SECONDS = 60.0
"""An upload that stops before its last chunk is scanned after this time."""

_NOTED = 1000
"""Of how many files it is remembered how we left them."""

ROUTES = ("save", "rename_file", "restore_checkpoint", "create_checkpoint", "delete_file")
"""The methods that are wrapped."""


class GuardedContents:
    """The guard on one contents manager.

    Args:
        manager: Any contents manager, synchronous or not. Methods that it lacks are left out.
        guard: What scans.
    """

    def __init__(self, manager: Any, guard: SaveGuard) -> None:
        self.manager = manager
        self._guard = guard
        self._passed: dict[int, Any] = {}  # id of content that the wrapper has scanned -> that content
        self._saving: list[str] = []
        self._uploads: dict[str, asyncio.TimerHandle | None] = {}
        self._orders: dict[str, tuple[asyncio.Lock, int]] = {}
        self._clean: dict[str, tuple[disk.Stamp | None, int]] = {}  # what lies on disk as we left it
        self._scanned: dict[str, int] = {}  # version of the issued values with which a save was scanned
        self._checkpoints: dict[str, str] = {}  # where those of notebooks lie
        self._lock = threading.Lock()
        self._tasks: set[asyncio.Future[Any]] = set()
        self.asynchronous = inspect.iscoroutinefunction(type(manager).save)

    def attach(self) -> None:
        """Register the hooks and wrap the methods."""

        def qsec_pre_save(model: dict[str, Any], path: str, contents_manager: Any, **_: Any) -> None:
            self._last_gate(model, path)

        def qsec_post_save(model: dict[str, Any], os_path: str, contents_manager: Any, **_: Any) -> None:
            path = str(model.get("path", "")).strip("/")
            self._written(path, os_path, self._scanned.get(path, -1))

        self.manager.register_pre_save_hook(qsec_pre_save)
        self.manager.register_post_save_hook(qsec_post_save)
        for name in ROUTES:
            method = getattr(self.manager, name, None)
            if method is not None:
                kind = Async if self.asynchronous else Sync
                setattr(self.manager, name, getattr(kind(self, self._guard), name)(method))

    def routes(self) -> set[str]:
        """Return which methods of the manager come past the guard now."""
        return {name for name in ROUTES if getattr(getattr(self.manager, name, None), "qsec", None) is self}

    def hooked(self) -> bool:
        """Say whether the last gate is in place."""
        hooks = getattr(self.manager, "_pre_save_hooks", ())
        return any(getattr(hook, "__name__", "") == "qsec_pre_save" for hook in hooks)

    # -- saves ------------------------------------------------------------------------------------

    def scan(self, model: dict[str, Any], path: str) -> None:
        """Scan a model before it is saved, and follow a rename that nobody told of."""
        if model.get("chunk") is None:
            self._follow_rename(path.strip("/"))
            # Before the scan: what is issued while it runs may be in the file all the same.
            self._scanned[path.strip("/")] = self._guard.known.version
            self._guard.before_save(model, path, again=path.strip("/") in self._saving)

    @contextmanager
    def passing(self, model: dict[str, Any], path: str) -> Iterator[None]:
        """Know a model's content as scanned for as long as it is being saved."""
        content, name = model.get("content"), path.strip("/")
        if content is not None:
            self._passed[id(content)] = content
        self._saving.append(name)
        try:
            yield
        finally:
            self._saving.remove(name)
            self._passed.pop(id(content), None)

    def _last_gate(self, model: dict[str, Any], path: str) -> None:
        content = model.get("content")
        # Other hooks run before this one and may have changed what was scanned.
        alone = len(getattr(self.manager, "_pre_save_hooks", (None, None))) == 1
        if not alone or content is None or self._passed.get(id(content)) is not content:
            self.scan(model, path)

    def _follow_rename(self, path: str) -> None:
        if (locate := self.locate()) and (old := self._guard.reports.former(path, locate)) is not None:
            self._guard.moved(old, path)

    def _written(self, path: str, os_path: str, version: int) -> None:
        """Note where a saved file lies, and that it is as we left it, clean of the values of ``version``."""
        now = disk.stamp(os_path)
        self._guard.reports.lies_at(path, now and now[:2])
        with self._lock:
            self._clean[path] = (now, version)
            for noted in (self._clean, self._scanned):
                _forget_first(noted)

    # -- uploads in chunks ------------------------------------------------------------------------

    def chunk_came(self, path: str, *, last: bool) -> bool:
        """Note a chunk; return whether the upload is to be scanned now."""
        with self._lock:
            waiting = self._uploads.pop(path, None)
            if waiting is not None:
                waiting.cancel()
            self._clean.pop(path, None)
            if last:
                return True
            self._uploads[path] = None
        self._guard.unscanned(path, "an upload in chunks; it is scanned when its last one has come")
        with suppress(RuntimeError):  # no loop: a manager that is used in a script
            loop = asyncio.get_running_loop()
            self._uploads[path] = loop.call_later(UPLOAD_IDLE_SECONDS, self._abandoned, path)
        return False

    def _abandoned(self, path: str) -> None:
        self._uploads.pop(path, None)
        task = asyncio.ensure_future(asyncio.to_thread(self.clean, path))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def scan_upload(self, path: str) -> None:
        """Scan an upload whose last chunk has come.

        Raises:
            HTTPError: The upload is on disk and could not be scanned.
        """
        if not self.clean(path):
            raise HTTPError(
                500, f"{path} was uploaded but could not be scanned for secrets. Check it with: qsec scan"
            )

    # -- what lies on disk ------------------------------------------------------------------------

    def locate(self) -> Callable[[str], str] | None:
        """Return how to find a file on disk; ``None`` for a manager that keeps none there."""
        return getattr(self.manager, "_get_os_path", None)

    def clean(self, path: str, *, only_notebooks: bool = False) -> bool:
        """Scan the file at ``path`` where it lies, unless it is as we left it; say whether that worked."""
        path = path.strip("/")
        locate = self.locate()
        if path in self._saving:
            return True  # what a save writes was scanned before it began
        if locate is None or (only_notebooks and not path.endswith(".ipynb")):
            return locate is not None
        try:
            os_path = locate(path)
            if Path(os_path).is_dir():
                return True
            now = (disk.stamp(os_path), self._guard.known.version)
            if now[0] is not None and self._clean.get(path) == now:
                return True
            self._guard.clean_file(os_path, path)
            self._written(path, os_path, now[1])
        except Exception as error:  # noqa: BLE001  # never silently unscanned
            self._guard.log.error("qsec: the scan of a file on disk failed with %s", type(error).__name__)
            self._guard.unscanned(path, "the scan failed")
            return False
        return True

    def checkpoint_settled(self, path: str) -> bool:
        """Say whether nothing is to be done for a file's checkpoint: it has none, or that is clean."""
        path = path.strip("/")
        try:
            if not path.endswith(".ipynb") or (os_path := self._checkpoint(path)) is None:
                return True
        except Exception:  # noqa: BLE001  # whoever cleans it meets the same, and says so
            return False
        now = disk.stamp(os_path)
        return now is None or self._clean.get("checkpoint:" + path) == (now, self._guard.known.version)

    def clean_checkpoint(self, path: str) -> None:
        """Redact the checkpoint of a notebook, which may be older than this extension."""
        path = path.strip("/")
        try:
            if self.checkpoint_settled(path) or (os_path := self._checkpoint(path)) is None:
                return
            version = self._guard.known.version
            self._guard.clean_file(os_path, path, published=False)
            self._clean["checkpoint:" + path] = (disk.stamp(os_path), version)
        except Exception as error:  # noqa: BLE001  # the save is done; coverage says what is not clean
            self._guard.log.error("qsec: a checkpoint could not be cleaned (%s)", type(error).__name__)

    def checkpoint_made(self, path: str) -> None:
        """Note a checkpoint as clean that was copied from a file as we left it."""
        path = path.strip("/")
        locate, checkpoint = self.locate(), self._checkpoint(path)
        if locate is None or checkpoint is None:
            return
        version = self._guard.known.version
        if path in self._saving:
            clean = self._scanned.get(path) == version
        else:
            clean = self._clean.get(path) == (disk.stamp(locate(path)), version)
        if clean:
            self._clean["checkpoint:" + path] = (disk.stamp(checkpoint), version)

    def _checkpoint(self, path: str) -> str | None:
        """Return where a notebook's checkpoint lies; ``None`` for a manager that keeps none on disk.

        Asked once for each notebook: Jupyter makes its folder each time that it is asked.
        """
        find = getattr(getattr(self.manager, "checkpoints", None), "checkpoint_path", None)
        if find is None:
            return None
        with self._lock:
            if path not in self._checkpoints:
                self._checkpoints[path] = str(find("checkpoint", path))
                _forget_first(self._checkpoints)
            return self._checkpoints[path]

    def checkpoint_clean(self, path: str) -> bool | None:
        """Say whether the checkpoint of a notebook is as we left it; ``None`` when it has none."""
        checkpoint = self._checkpoint(path)
        now = disk.stamp(checkpoint) if checkpoint else None
        return None if now is None else self._clean.get("checkpoint:" + path, (None, 0))[0] == now

    # -- order ------------------------------------------------------------------------------------

    @asynccontextmanager
    async def in_order(self, path: str) -> AsyncIterator[None]:
        """Let saves of one file go one after another: a slow scan must not put an old text over a new one."""
        lock, waiting = self._orders.get(path, (asyncio.Lock(), 0))
        self._orders[path] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            waiting = self._orders[path][1] - 1
            if waiting:
                self._orders[path] = (lock, waiting)
            else:
                del self._orders[path]

    def aside(self, work: Callable[..., Any], *args: Any) -> None:
        """Run work on a thread that nobody waits for."""
        task = asyncio.ensure_future(asyncio.to_thread(work, *args))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _forget_first(noted: dict[str, Any]) -> None:
    """Forget what was noted first where that is more than is kept."""
    while len(noted) > _NOTED:
        noted.pop(next(iter(noted)))
