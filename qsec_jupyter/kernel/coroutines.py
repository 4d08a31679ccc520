"""Runs a coroutine with a context variable set, whichever event loop drives it.

A token of ``ContextVar.set`` must not be kept over an ``await``: loops such as duet (Cirq's) run all their
coroutines in one context, so the variable would leak into the others. It is set for each step instead.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from .hooking import unseen

_Value = TypeVar("_Value")


class Within(Generic[_Value]):
    """An awaitable that is ``coroutine``, with ``variable`` set to ``value`` while it runs."""

    def __init__(
        self, variable: ContextVar[_Value], value: _Value, coroutine: Coroutine[Any, Any, Any]
    ) -> None:
        self._variable = variable
        self._value = value
        self._coroutine = coroutine

    @unseen
    def __await__(self) -> Generator[Any, Any, Any]:
        """Drive the coroutine step by step, as PEP 380 has ``yield from`` do it."""
        step: Callable[[Any], Any] = self._coroutine.send
        sent: Any = None
        while True:
            token = self._variable.set(self._value)
            try:
                yielded = step(sent)
            except StopIteration as done:
                return done.value
            finally:
                self._variable.reset(token)
            try:
                step, sent = self._coroutine.send, (yield yielded)
            except GeneratorExit:
                self._coroutine.close()
                raise
            except BaseException as error:  # noqa: BLE001  # the coroutine's to handle
                step, sent = self._coroutine.throw, error
