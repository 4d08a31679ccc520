"""Learns of a remote result when its owner reads it; some can be read only once, so nobody else does."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

Then = Callable[[Any], None]

_waiting: weakref.WeakKeyDictionary[Any, Then] = weakref.WeakKeyDictionary()


def when_fetched(job: Any, method: str, then: Then) -> None:
    """Have ``then`` called with what ``job``'s method returns, the first time that its owner calls it.

    Raises:
        TypeError: The job cannot be hashed or referred to weakly.
    """
    owner: Any = next(cls for cls in type(job).__mro__ if method in vars(cls))
    original = vars(owner)[method]
    if not getattr(original, "__qsec__", False):
        setattr(owner, method, _noting(original))
    _waiting[job] = then


def _noting(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def fetch(self: Any, *args: Any, **options: Any) -> Any:
        fetched = original(self, *args, **options)
        try:
            then = _waiting.pop(self, None)
        except TypeError:
            then = None  # a job that cannot be hashed was never noted
        if then is not None:
            then(fetched)
        return fetched

    fetch.__qsec__ = True  # type: ignore[attr-defined]
    return fetch
