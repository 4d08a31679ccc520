"""The bundle that is in force: replaced as a whole, and only by one that checks."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from ...core.errors import Invalid, QsecError
from ...core.model import Principal, Target
from ..catalog import Catalogue
from ..credentials.broker import TargetSource
from .bundle import Bundle, Place, Seen
from .check import Checked, check
from .context import Action, Context
from .engine import Decision

_log = logging.getLogger("qsec.policy")

ARCHIVE = "policies"
"""Where the state folder keeps each bundle that was in force, by its digest."""

Told = Callable[[str, dict[str, Any]], None]

_pinned: ContextVar[Checked | None] = ContextVar("pinned", default=None)

POLICY_SECONDS = 1.0
"""How often the files of the policy bundle are looked at; they are taken once they stand still."""


class LivePolicy:
    """Decides by the bundle in force, and takes a new one when its files have changed and are at rest.

    One reference is replaced, and a request keeps the one that it began with (:meth:`pin`), so nobody ever
    decides by half a bundle.

    Args:
        place: Where the bundle comes from.

    Raises:
        Invalid: The bundle does not check, and no earlier one is known.
    """

    def __init__(self, place: Place) -> None:
        self._place = place
        self._archive = place.home / ARCHIVE
        self._lock = threading.Lock()
        self._waiting: Seen | None = None
        self._seen = place.seen()
        self.refused: QsecError | None = None
        """Why the files as they are now were not taken; ``None`` when they are in force."""
        self._current = self._first()

    # -- what is in force --------------------------------------------------------------------------

    @property
    def current(self) -> Checked:
        """The bundle in force, or the one that this request began with, and all that was made of it."""
        return _pinned.get() or self._current

    @contextmanager
    def pin(self) -> Iterator[None]:
        """Keep to one bundle within the block, on whatever thread its work is done."""
        token = _pinned.set(self._current)
        try:
            yield
        finally:
            _pinned.reset(token)

    @property
    def digest(self) -> str:
        """The digest that every decision is recorded with."""
        return self.current.bundle.digest

    @property
    def catalogue(self) -> Catalogue:
        """Targets, projects, data classes and workloads."""
        return self.current.catalogue

    @property
    def failures(self) -> int:
        """Decisions of this bundle that a failing rule turned into a deny."""
        return self._current.engine.failures

    def decide(
        self, principal: Principal, action: Action, target: Target | str, context: Context
    ) -> Decision:
        """Return the decision, by rules and a catalogue of the same bundle.

        See :meth:`.engine.PolicyEngine.decide`; what the caller knows of a target is looked up anew.
        """
        current = self.current
        name = target if isinstance(target, str) else target.name
        return current.engine.decide(principal, action, current.catalogue.targets.get(name, name), context)

    # -- taking a new one --------------------------------------------------------------------------

    def _first(self) -> Checked:
        try:
            checked = check(self._place.read()).require()
        except QsecError as error:
            last = self._last()
            if last is None:
                raise
            self.refused = error
            _log.error("the policy bundle was not taken (%s); the last one stays in force", error.code)
            return last
        self._keep(checked)
        return checked

    def reload(self, told: Told) -> bool:
        """Take the files when they have changed and stood still since the last call; say whether it did.

        Args:
            told: Called with ``policy.loaded`` or ``policy.refused`` and what the ledger is to say, before
                the new bundle is in force.
        """
        with self._lock:
            seen = self._place.seen()
            if seen == self._seen:
                self._waiting = None
                return False
            if seen != self._waiting:
                self._waiting = seen  # somebody may still be writing
                return False
            return self._replace(seen, told)

    def _replace(self, seen: Seen, told: Told) -> bool:
        before = self._current.bundle.digest
        try:
            fresh = check(self._place.read()).require()
        except QsecError as error:
            self.refused, self._seen, self._waiting = error, seen, None
            _log.error("the policy bundle was not taken (%s); the old one stays in force", error.code)
            told("policy.refused", {"policy": before, "rule": error.code})
            return True
        if self._place.seen() != seen:
            return False  # it changed while it was read: once more
        if fresh.bundle.digest != before:
            self._keep(fresh)
            told("policy.loaded", {"policy": fresh.bundle.digest, "before": before})
            self._current = fresh
            _log.info("policy bundle %s is in force", fresh.bundle.digest[:12])
        self.refused, self._seen, self._waiting = None, seen, None
        return True

    # -- what was in force -------------------------------------------------------------------------

    def _keep(self, checked: Checked) -> None:
        """Keep a copy: decisions of the past stay explainable, and a start never stands without one."""
        digest = checked.bundle.digest
        folder, unfinished = self._archive / digest, self._archive / f".{digest}"
        try:
            if not folder.is_dir():
                shutil.rmtree(unfinished, ignore_errors=True)
                unfinished.mkdir(parents=True, mode=0o700)
                for name, text in checked.bundle.files.items():
                    (unfinished / name).write_text(text, encoding="utf-8")
                with suppress(FileExistsError):  # another control plane was faster
                    unfinished.rename(folder)
            pointer = self._archive / f".in-force-{threading.get_ident()}"
            pointer.write_text(digest)
            pointer.replace(self._archive / "in-force")
        except OSError as error:
            _log.warning("no copy of the policy bundle could be kept (%s)", type(error).__name__)

    def _last(self) -> Checked | None:
        """Return the bundle that was last in force here."""
        try:
            bundle = archived(self._place.home)
            return check(bundle).require() if bundle else None
        except QsecError:
            return None


class SourcesInForce(Mapping[str, TargetSource]):
    """Where each target's secret lies, by the bundle in force: what a store of credentials is opened with."""

    def __init__(self, policy: LivePolicy) -> None:
        self._policy = policy

    def __getitem__(self, target: str) -> TargetSource:
        return self._policy.catalogue.sources[target]

    def __iter__(self) -> Iterator[str]:
        return iter(self._policy.catalogue.sources)

    def __len__(self) -> int:
        return len(self._policy.catalogue.sources)


def archived(home: Path, digest: str | None = None) -> Bundle | None:
    """Return a bundle that was in force: of that digest, else the last; ``None`` when no copy is left.

    Raises:
        Invalid: ``policy.archive``: the copy is not what it was.
    """
    archive = home / ARCHIVE
    try:
        wanted = digest or (archive / "in-force").read_text()
    except OSError:
        return None
    folder = archive / wanted
    if not wanted.isalnum() or not folder.is_dir():
        return None
    bundle = Bundle.read(folder)
    if bundle.digest != wanted:
        raise Invalid(
            "policy.archive",
            "A kept policy bundle is not what it was",
            f"{folder} was changed after the fact.",
            "Do not rely on it; the ledger's digests stay right.",
        )
    return bundle
