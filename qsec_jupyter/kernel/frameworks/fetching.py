"""Learns of a remote result when its owner reads it; some can be read only once, so nobody else does."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from .. import hooking

Then = Callable[[Any], None]
Failed = Callable[[BaseException], bool]
Stranger = Callable[[Any], tuple[Then, Failed] | None]

_waiting: weakref.WeakKeyDictionary[Any, tuple[Then, Failed]] = weakref.WeakKeyDictionary()
_strangers: dict[type, Stranger] = {}


def when_fetched(job: Any, method: str, then: Then, failed: Failed = lambda _: False) -> None:
    """Have ``then`` called with what ``job``'s method returns, the first time that its owner calls it.

    Args:
        job: What will have a result.
        method: The method that its owner calls for it.
        then: Given the result.
        failed: Given what the method raised; says whether that is the job's end. A time-out is not.

    Raises:
        TypeError: The job cannot be hashed or referred to weakly.
    """
    owner: Any = next(cls for cls in type(job).__mro__ if method in vars(cls))
    hooking.hook_method(owner, method, _noting)
    _waiting[job] = (then, failed)


def when_a_stranger_is_fetched(cls: type, method: str, stranger: Stranger) -> None:
    """Have ``stranger`` asked about jobs of ``cls`` that this kernel did not submit, when they are read.

    Args:
        cls: The class that defines ``method``.
        method: The method that a job's owner calls for its result.
        stranger: Returns what to do with the result, once for each job; ``None`` for nothing.
    """
    _strangers[cls] = stranger
    hooking.hook_method(cls, method, _noting)


def _noting(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def fetch(self: Any, *args: Any, **options: Any) -> Any:
        try:
            fetched = original(self, *args, **options)
        except BaseException as error:
            told = _told(self)
            if told is not None and told[1](error):
                _waiting.pop(self, None)
            raise
        told = _told(self)
        if told is not None:
            _waiting.pop(self, None)
            told[0](fetched)
        return fetched

    return fetch


def _told(job: Any) -> tuple[Then, Failed] | None:
    """Return what waits for a job's end; a job that cannot be hashed was never noted."""
    try:
        if job in _waiting:
            return _waiting[job]
        stranger = next((_strangers[cls] for cls in type(job).__mro__ if cls in _strangers), None)
        return stranger(job) if stranger is not None else None
    except TypeError:
        return None
