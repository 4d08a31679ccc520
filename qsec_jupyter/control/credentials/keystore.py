"""Where a small private key lies: the OS keyring when there is a real one, else a 0600 file.

Only keyrings that keep their content encrypted under the user's login are taken. The keyring
package also offers back ends that fail, forget or write plain text; those never count as a
protection, so they are refused by an allow-list, not by a block-list.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, TimeoutError as FutureTimeout
from pathlib import Path
from typing import Any, TypeVar

from ...core.errors import Unavailable
from .broker import KeyProtection

_SERVICE = "qsec-jupyter"
_REAL_BACKENDS = frozenset(
    {
        "keyring.backends.macOS",
        "keyring.backends.SecretService",
        "keyring.backends.libsecret",
        "keyring.backends.kwallet",
        "keyring.backends.Windows",
    }
)
_KEYRING_LIMIT = 20.0  # a locked keyring asks its user in a window; seconds until we stop waiting

T = TypeVar("T")


class KeyStore:
    """Keeps named keys of one user's state folder.

    Args:
        home: The state folder; file keys lie directly in it.
        keyring: A keyring back end, ``None`` for files only. :func:`real_keyring` finds it.
    """

    def __init__(self, home: Path, keyring: Any | None) -> None:
        self._home = home
        self._keyring = keyring
        # Two state folders of one user are two identities, so the folder is part of the entry's name.
        self._suffix = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]

    def path(self, name: str) -> Path:
        """Return the file that holds the key when no keyring does."""
        return self._home / name

    def read(self, name: str) -> tuple[bytes, KeyProtection] | None:
        """Return a key and what protects it, or ``None`` when there is none yet.

        Raises:
            Unavailable: ``key.unreadable`` or ``key.too_open`` for the file, ``key.keyring_locked``.
        """
        path = self.path(name)
        if path.exists():
            return _read_private(path), "file-0600"
        keyring = self._keyring
        if keyring is None:
            return None
        text = _limited(lambda: keyring.get_password(_SERVICE, self._entry(name)))
        return (base64.b64decode(text), "os-keyring") if text else None

    def create(self, name: str, make: Callable[[], bytes]) -> tuple[bytes, KeyProtection]:
        """Return the key called ``name``, making it when there is none; safe among processes."""
        with locked(self._home / "keys.lock"):
            found = self.read(name)
            if found is not None:
                return found
            key = make()
            if self._keyring is not None and self._put(self._keyring, name, key):
                return key, "os-keyring"
            write_private(self.path(name), key)
            return key, "file-0600"

    def replace(self, name: str, key: bytes) -> None:
        """Put another key in the place of the one called ``name``, or a first one."""
        with locked(self._home / "keys.lock"):
            if (
                self._keyring is not None
                and not self.path(name).exists()
                and self._put(self._keyring, name, key)
            ):
                return
            write_private(self.path(name), key)

    def _put(self, keyring: Any, name: str, key: bytes) -> bool:
        """Store in the keyring and read it back; a keyring that only says yes is not enough."""
        text = base64.b64encode(key).decode()
        entry = self._entry(name)
        try:
            _limited(lambda: keyring.set_password(_SERVICE, entry, text))
            return bool(_limited(lambda: keyring.get_password(_SERVICE, entry)) == text)
        except Unavailable:
            return False

    def _entry(self, name: str) -> str:
        return f"{name}:{self._suffix}"


def real_keyring() -> Any | None:
    """Return the OS keyring's back end, or ``None`` when this session has no real one."""
    try:
        import keyring
    except ImportError:
        return None
    backend: Any = keyring.get_keyring()
    if type(backend).__module__ == "keyring.backends.chainer":
        backends = list(backend.backends)
        backend = backends[0] if backends else None
    return backend if type(backend).__module__ in _REAL_BACKENDS else None


def _limited(call: Callable[[], T]) -> T:
    """Run a keyring call for at most ``_KEYRING_LIMIT`` seconds."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="qsec-keyring")
    try:
        return pool.submit(call).result(_KEYRING_LIMIT)
    except FutureTimeout as error:
        raise _keyring_locked("did not answer") from error
    except Exception as error:  # noqa: BLE001  # each back end has errors of its own
        raise _keyring_locked(f"failed with {type(error).__name__}") from None
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _keyring_locked(what: str) -> Unavailable:
    return Unavailable(
        "key.keyring_locked",
        "The keyring of the operating system cannot be used",
        f"It {what}.",
        "Unlock it and try again; PYTHON_KEYRING_BACKEND=keyring.backends.fail.Keyring keeps keys in files.",
    )


def _read_private(path: Path) -> bytes:
    """Read a key file that only its owner may read."""
    try:
        mode = path.stat().st_mode
        data = path.read_bytes()
    except OSError as error:
        raise Unavailable(
            "key.unreadable",
            "A key file cannot be read",
            f"{path.name}: {type(error).__name__}.",
            f"Make {path} readable by its owner.",
        ) from error
    if mode & 0o077:
        raise Unavailable(
            "key.too_open",
            "A key file can be read by other users",
            f"{path.name} has mode {mode & 0o777:04o}; it must be 0600.",
            f"Treat the key as leaked if others use this machine. Then: chmod 600 {path}",
        )
    return data


def write_private(path: Path, data: bytes) -> None:
    """Replace ``path`` atomically by a file that only its owner may read.

    The bytes are on disk before the name changes, so a crash leaves the old file or the new one.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        os.fchmod(descriptor, 0o600)  # a leftover of an earlier crash keeps its own mode otherwise
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock among processes for the length of a ``with`` block."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)  # closing gives the lock back
