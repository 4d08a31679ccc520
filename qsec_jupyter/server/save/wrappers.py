"""The wrappers of a contents manager's methods, as :mod:`.contents` puts them in place."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .contents import GuardedContents
    from .guard import SaveGuard

Method = Callable[..., Any]


def _marked(contents: GuardedContents, wrapper: Method) -> Method:
    wrapper.qsec = contents  # type: ignore[attr-defined]  # how coverage tells that it is still in place
    return wrapper


class Sync:
    """Wrappers for a manager whose methods are plain functions; all work is done in place."""

    def __init__(self, contents: GuardedContents, guard: SaveGuard) -> None:
        self._contents = contents
        self._guard = guard

    def save(self, method: Method) -> Method:
        """Scan, save, and see to the checkpoint or the upload."""
        contents = self._contents

        def save(model: dict[str, Any], path: str = "") -> Any:
            chunk = model.get("chunk")
            contents.scan(model, path)
            with contents.passing(model, path):
                saved = method(model, path)
            if chunk is None:
                contents.clean_checkpoint(path)
            elif contents.chunk_came(path.strip("/"), last=chunk == -1):
                contents.scan_upload(path.strip("/"))
            return saved

        return _marked(contents, save)

    def rename_file(self, method: Method) -> Method:
        """Let what is known of a file follow it, and scan it."""
        contents = self._contents

        def rename_file(old_path: str, new_path: str) -> Any:
            done = method(old_path, new_path)
            self._guard.moved(old_path.strip("/"), new_path.strip("/"))
            contents.clean(new_path)
            return done

        return _marked(contents, rename_file)

    def restore_checkpoint(self, method: Method) -> Method:
        """Clean a checkpoint before it comes back, and scan what it became."""
        contents = self._contents

        def restore_checkpoint(checkpoint_id: str, path: str) -> Any:
            contents.clean_checkpoint(path)
            done = method(checkpoint_id, path)
            contents.clean(path)
            return done

        return _marked(contents, restore_checkpoint)

    def create_checkpoint(self, method: Method) -> Method:
        """See that a checkpoint holds no more than the file that was scanned."""
        contents = self._contents

        def create_checkpoint(path: str) -> Any:
            # The file itself is left: a tab that has it open would be told that it changed on disk.
            done = method(path)
            contents.checkpoint_made(path)
            contents.clean_checkpoint(path)
            return done

        return _marked(contents, create_checkpoint)

    def delete_file(self, method: Method) -> Method:
        """Scan a notebook on its way to the trash."""
        contents = self._contents

        def delete_file(path: str) -> Any:
            if getattr(contents.manager, "delete_to_trash", False):
                contents.clean(path, only_notebooks=True)
            return method(path)

        return _marked(contents, delete_file)


class Async:
    """Wrappers for a manager whose methods are coroutines; all work leaves the loop."""

    def __init__(self, contents: GuardedContents, guard: SaveGuard) -> None:
        self._contents = contents
        self._guard = guard

    def save(self, method: Method) -> Method:
        """Scan, save, and see to the checkpoint or the upload."""
        contents = self._contents

        async def save(model: dict[str, Any], path: str = "") -> Any:
            chunk, name = model.get("chunk"), path.strip("/")
            async with contents.in_order(name):
                await asyncio.to_thread(contents.scan, model, path)
                with contents.passing(model, path):
                    saved = await method(model, path)
                if chunk is None:
                    if not contents.checkpoint_settled(path):
                        contents.aside(contents.clean_checkpoint, path)
                elif contents.chunk_came(name, last=chunk == -1):
                    await asyncio.to_thread(contents.scan_upload, name)
            return saved

        return _marked(contents, save)

    def rename_file(self, method: Method) -> Method:
        """Let what is known of a file follow it, and scan it."""
        contents = self._contents

        async def rename_file(old_path: str, new_path: str) -> Any:
            done = await method(old_path, new_path)
            await asyncio.to_thread(self._guard.moved, old_path.strip("/"), new_path.strip("/"))
            await asyncio.to_thread(contents.clean, new_path)
            return done

        return _marked(contents, rename_file)

    def restore_checkpoint(self, method: Method) -> Method:
        """Clean a checkpoint before it comes back, and scan what it became."""
        contents = self._contents

        async def restore_checkpoint(checkpoint_id: str, path: str) -> Any:
            await asyncio.to_thread(contents.clean_checkpoint, path)
            done = await _result(method(checkpoint_id, path))
            await asyncio.to_thread(contents.clean, path)
            return done

        return _marked(contents, restore_checkpoint)

    def create_checkpoint(self, method: Method) -> Method:
        """See that a checkpoint holds no more than the file that was scanned."""
        contents = self._contents

        async def create_checkpoint(path: str) -> Any:
            # The file itself is left: a tab that has it open would be told that it changed on disk.
            done = await _result(method(path))
            contents.checkpoint_made(path)
            if not contents.checkpoint_settled(path):
                await asyncio.to_thread(contents.clean_checkpoint, path)
            return done

        return _marked(contents, create_checkpoint)

    def delete_file(self, method: Method) -> Method:
        """Scan a notebook on its way to the trash."""
        contents = self._contents

        async def delete_file(path: str) -> Any:
            if getattr(contents.manager, "delete_to_trash", False):
                await asyncio.to_thread(lambda: contents.clean(path, only_notebooks=True))
            return await method(path)

        return _marked(contents, delete_file)


async def _result(value: Awaitable[Any] | Any) -> Any:
    """Await what some managers return as a coroutine and others at once."""
    return await value if inspect.isawaitable(value) else value
