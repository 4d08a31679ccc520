"""Work at providers that is done again until nothing is left, each target's by threads of its own.

A provider that hangs holds up what is to be done at no other one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Set
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field

from ....core.errors import QsecError
from .account import Account, OpenAccount

PAUSES = (1.0, 2.0, 5.0, 15.0)
"""Pauses between rounds while something is left (seconds)."""

_log = logging.getLogger("qsec.gateway")


@dataclass(slots=True)
class _Target:
    """A target's threads, and the rounds there.

    Attributes:
        next: A round that has not opened its account yet: it does all that is to be done by then.
        going: That one, and those that work.
        seen: The names of what rounds were begun for.
    """

    threads: ThreadPoolExecutor
    next: Future[None] | None = None
    going: set[Future[None]] = field(default_factory=set)
    seen: Set[str] = field(default_factory=frozenset)
    attempts: int = 0
    not_before: float = 0.0


class Rounds:
    """Opens a target's account once a round, and has the work done with it. Thread-safe.

    Args:
        name: Of the threads, and in the log.
        open_account: Opens the account behind a target.
        work: Does all that is to be done at a target. It takes up nothing that another round has taken up.
        at_once: How many rounds a target may have: one that hangs leaves room for those.
    """

    def __init__(
        self, name: str, open_account: OpenAccount, work: Callable[[str, Account], object], at_once: int = 1
    ) -> None:
        self._name = name
        self._open = open_account
        self._work = work
        self._at_once = at_once
        self._lock = threading.Lock()
        self._targets: dict[str, _Target] = {}

    def begin(self, target: str, names: Set[str] = frozenset()) -> Future[None]:
        """Begin a round at a target; one that has not opened its account yet takes what is new along.

        Args:
            target: Where.
            names: What it is begun for.
        """
        with self._lock:
            one = self._of(target)
            one.seen |= names
            if one.next is None:
                one.next = one.threads.submit(self._round, target, one)
                one.going.add(one.next)
                one.next.add_done_callback(one.going.discard)
                one.not_before = time.monotonic() + PAUSES[min(one.attempts, len(PAUSES) - 1)]
                one.attempts += 1
            return one.next

    def again(self, left: Mapping[str, Set[str]], seconds: float) -> None:
        """Begin a round where something is new or a pause is over, and wait so long at most for all of them.

        Args:
            left: The names of what is to be done, by target.
            seconds: A round that takes longer goes on by itself.
        """
        for target in sorted({*self._targets, *left}):
            if self._is_due(target, left.get(target, frozenset())):
                self.begin(target, left[target])
        wait([going for one in list(self._targets.values()) for going in list(one.going)], seconds)

    def _is_due(self, target: str, names: Set[str]) -> bool:
        with self._lock:
            one = self._of(target)
            new, one.seen = names - one.seen, one.seen & names
            if not names:
                one.attempts = 0
            return bool(new) or bool(names and not one.going and time.monotonic() >= one.not_before)

    def _of(self, target: str) -> _Target:
        if target not in self._targets:
            self._targets[target] = _Target(ThreadPoolExecutor(self._at_once, f"qsec-{self._name}"))
        return self._targets[target]

    def _round(self, target: str, one: _Target) -> None:
        try:
            with ExitStack() as held:
                try:
                    account = held.enter_context(self._open(target))
                finally:
                    with self._lock:
                        one.next = None
                self._work(target, account)
        except QsecError as error:
            _log.warning("%s at %s: it is tried again (%s)", self._name, target, error.code)
        except Exception as error:  # noqa: BLE001  # a later round tries again; nothing else would say it
            _log.error("%s at %s failed with %s", self._name, target, type(error).__name__)

    def close(self) -> None:
        """Let the threads go; what they have not done is done by the next control plane."""
        with self._lock:
            for one in self._targets.values():
                one.threads.shutdown(wait=False, cancel_futures=True)
