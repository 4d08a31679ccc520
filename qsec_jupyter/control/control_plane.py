"""Starts a control plane, sets its times, and ends it in order."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Any

from ..core.model import Principal
from ..core.paths import enforce_marker
from .callers import Caller
from .checkpoints import CHECKPOINT_SECONDS
from .events import EVENTS_SECONDS
from .gateway.jobs.office import POLLS_SECONDS, RESERVATIONS_SECONDS, SETTLE_SECONDS
from .health import HEALTH_SECONDS
from .identity.tokens import TOKEN_SECONDS
from .issuing import KEEP_SECONDS
from .notifications.notices import NOTICES_SECONDS
from .orphans import ORPHANS_AFTER, ORPHANS_EVERY
from .parts import Parts
from .policy.live import POLICY_SECONDS

END_SECONDS = 2.0
"""How long the end of this process waits for providers to cancel and close; the rest is durable (seconds)."""


class ControlPlane(Parts):
    """One journal, one store of credentials, one Jupyter Server: opened, started, stopped and closed."""

    _closed = False

    def open(self) -> None:
        """Write the start to the ledger, and end what an earlier server left."""
        vault = self.broker.info.kind
        self.audit.record_ending("control.started", policy=self.policy.digest, vault=vault)
        self.audit.record_ending("server.connected", self.principal)
        self.timers.safely(self._tell_mode)
        self.timers.safely(self.evidence.account)
        self.timers.safely(self.office.open)
        self.ending.reconcile(self.owner.server_id)
        self._spare_a_hanging_store()
        self.checkpoints.make()

    def _tell_mode(self) -> None:
        """Leave the mark by which a kernel knows what to assume while no control plane answers."""
        marker = enforce_marker(self._home)
        if self.catalogue.runs.mode == "enforce":
            marker.touch(mode=0o600)
        else:
            marker.unlink(missing_ok=True)

    def resume(self, kernels: Mapping[str, Iterable[str]]) -> None:
        """Go on where the last control plane of this server was killed.

        Args:
            kernels: Those that live, with the names of who is present at each.
        """
        self.timers.safely(lambda: self._resume(kernels))

    def _resume(self, kernels: Mapping[str, Iterable[str]]) -> None:
        for kernel_id, names in kernels.items():
            self.share(self.owner.by(kernel_id), names)
        self.gateway.passes.resume(self.owner.server_id, kernels)

    def start(self) -> None:
        """Start keeping time, on the running loop."""
        self.timers.when_due(self.access.keep_time)
        self.timers.every(CHECKPOINT_SECONDS, self.checkpoints.make_if_new)
        self.timers.retry(self._settle_once)
        self.timers.every(KEEP_SECONDS, self.issuing.keep_alive, after=KEEP_SECONDS)
        self.timers.every(POLICY_SECONDS, self.reload_policy)
        self.timers.every(TOKEN_SECONDS, self.tokens.expire)
        self.timers.every(EVENTS_SECONDS, self.events.settle)
        self.timers.every(NOTICES_SECONDS, self.notices.deliver)
        self.timers.every(HEALTH_SECONDS, self.health.look)
        self.timers.every(SETTLE_SECONDS, self.office.settle)
        self.timers.every(POLLS_SECONDS, self.office.count, after=POLLS_SECONDS)
        self.timers.every(RESERVATIONS_SECONDS, self._keep_reservations)
        self.timers.every(ORPHANS_EVERY, self.orphans.end, after=ORPHANS_AFTER)

    async def stop(self) -> None:
        """Stop keeping time, and close the gateway."""
        await self.gateway.stop()
        await self.timers.stop()

    def close(self) -> None:
        """Revoke everything, sign the end, and let go. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self.ending.end_server(self.owner.server_id)
        self._spare_a_hanging_store()
        self.evidence.settle()
        self.office.close(END_SECONDS)
        in_order = not self.sessions.pending()
        self.audit.record_ending("control.stopped")
        self.timers.safely(self.events.settle)
        self.checkpoints.make()
        self.sessions.close()
        self._close_broker()
        self._ledger.close()
        self.store.close()
        self._journal.release(in_order=in_order)

    def _close_broker(self) -> None:
        """Close the store's client; one that hangs is left to the end of this process."""
        hanging = self.sessions.pending() > 0
        closing = threading.Thread(target=self.broker.close, name="qsec-close", daemon=True)
        closing.start()
        closing.join(1.0 if hanging else 8.0)

    def _spare_a_hanging_store(self) -> None:
        if self.sessions.pending():
            self.signing.rest()  # what did not end a session in time is not waited for again

    # -- people -----------------------------------------------------------------------------------

    def person_changed(self, principal: Principal) -> list[str]:
        """Take note of somebody's new roles and groups, and end what they may not hold any more.

        Returns:
            The ids of the grants that ended.
        """
        if not self.people.seen(principal):
            return []
        ended = self.ending.reconsider(principal)
        self.changes.rights.bump()
        return ended

    def share(self, kernel: Caller, names: Iterable[str]) -> list[str]:
        """Take note of who is present at a kernel beside its owner; it gets the least of what they may.

        Returns:
            The ids of the grants that ended.
        """
        others = [name for name in names if name != kernel.principal.name]
        present = [person for name in others for person in self.persons(name)]
        ended = self.ending.share(kernel, present)
        self.changes.rights.bump()
        return ended

    def persons(self, name: str) -> list[Principal]:
        """Return who may have that name: everybody last seen with it, else as the catalogue says."""
        known = self.people.named(name)
        return known or [self.catalogue.named(Principal(name, name, "Jupyter Server"))]

    # -- keeping time -----------------------------------------------------------------------------

    def _settle_once(self) -> bool:
        self.evidence.settle()
        return self.access.settle() and self.audit.settle() and self.sessions.retry()

    def _keep_reservations(self) -> None:
        """Ask what is reserved, end what is active beyond it, and compare job lists when it is time."""
        self.office.reservations.refresh()
        self.ending.end_unreserved()
        self.office.reconcile_due()

    def reload_policy(self) -> None:
        """Take a changed bundle when it checks; say so, or why not, in ledger, log and health line."""
        if self.policy.reload(self._tell_policy):
            self._tell_mode()
            self.changes.rights.bump()

    def _tell_policy(self, event: str, data: dict[str, Any]) -> None:
        self.audit.record_ending(event, **data)
