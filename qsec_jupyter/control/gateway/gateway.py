"""The gateway as a whole: its edge, the tokens that it knows, and what it calls providers with."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

from ...core.errors import Denied, Invalid, QsecError
from ...core.model import Grant
from ...core.secret import Secret
from ..audit import Audit
from ..book import Book
from ..callers import Caller
from ..changes import Counter
from ..credentials.broker import Issued
from ..judge import Judge
from ..policy.live import LivePolicy
from .app import Edge
from .call import Desk
from .forward import Upstream
from .jobs import Jobs
from .jobs.account import Account
from .jobs.accounts import Speak, no_account
from .kept_passes import KeptPasses
from .keys import Keyring
from .model import Field, Pass
from .payload import Workers, dry_run
from .providers import PROVIDERS
from .tokens import Passes


class Gateway:
    """Built with the control plane, and served beside its REST edge.

    Args:
        issue: Has the broker issue the credential behind a pass; it may block.
        jobs: Governs jobs.
        on_leave: Has a function told of servers and kernels that end.
        clock: Gives the time.
    """

    def __init__(
        self,
        *,
        issue: Callable[[Pass], Issued],
        jobs: Jobs,
        book: Book,
        judge: Judge,
        kept: KeptPasses,
        policy: LivePolicy,
        audit: Audit,
        changes: Counter,
        on_leave: Callable[[Callable[[str, str | None], object]], object],
        clock: Callable[[], datetime],
    ) -> None:
        self._policy = policy
        self._audit = audit
        self.passes = Passes(book=book, judge=judge, kept=kept, changes=changes, clock=clock)
        on_leave(self.passes.leave)
        self._desk = Desk(upstream=Upstream(), keys=Keyring(issue), jobs=jobs, workers=Workers())
        self.edge = Edge(
            catalogue=lambda: policy.catalogue, passes=self.passes, desk=self._desk, refused=self._note
        )
        self._watch: asyncio.Task[None] | None = None
        self.port: int | None = None

    # -- life -------------------------------------------------------------------------------------

    def start(self, port: int) -> None:
        """Begin to answer on a port, on the running loop."""
        self.port = port
        self.edge.listen_on(port)
        self._watch = asyncio.create_task(self.passes.watch(self._desk.keys.keep_only))

    async def stop(self) -> None:
        """Let nobody in any more, and let go of every connection."""
        self.port = None
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.gather(self._watch, return_exceptions=True)
        await self._desk.close()

    async def preview(self, target: str, circuits: Sequence[str]) -> list[Field]:
        """Return what a target's vendor would see of circuits that are not sent.

        Raises:
            NotFound: ``target.unknown``.
            Invalid: ``exposure.not_proxied``, or why a job of these circuits would be refused.
        """
        self._policy.catalogue.target(target)
        settings = self._policy.catalogue.gateways.get(target)
        if settings is None:
            raise Invalid(
                "exposure.not_proxied",
                "What the vendor sees of this target's jobs is not known here",
                "Its jobs do not pass through the gateway: the vendor sees them as they are.",
                "Choose a target of tier proxy.",
            )
        body = dry_run.body_of(settings.provider, circuits)
        key = secrets.token_bytes(32)
        read = await self._desk.workers.read(settings.provider, body, hide=settings.hide, key=key)
        return [field for field in read.fields if dry_run.is_said(field.name)]

    # -- tokens -----------------------------------------------------------------------------------

    def admit(self, caller: Caller, grant: Grant) -> tuple[Secret, dict[str, str]]:
        """Make a token for the holder of an active grant of a proxied target.

        Returns:
            The token, and where and for what it is good.

        Raises:
            Denied: ``gateway.closed`` when nothing listens.
        """
        if self.port is None:
            raise Denied(
                "gateway.closed",
                "The gateway does not listen",
                "This control plane is starting or ending.",
                "Try again in a moment; `qsec doctor` says why if it stays this way.",
            )
        settings = self._policy.catalogue.gateways[grant.target]
        public = {
            "gateway": f"{self.address}/{grant.target}",
            "provider": settings.provider,
            "instance": settings.instance,
            "scope": grant.scope,
        }
        return self.passes.mint(caller, grant, grant.scope), public

    @property
    def address(self) -> str | None:
        """Where it listens; ``None`` while it does not."""
        return f"http://127.0.0.1:{self.port}" if self.port is not None else None

    def _note(self, holder: Pass, operation: str, error: QsecError) -> None:
        """Record that a token was used for more than it is good for."""
        about: dict[str, Any] = {"grant": holder.grant.id, "target": holder.grant.target, "pass": holder.id}
        who = holder.caller.principal
        self._audit.record("gateway.refused", who, **about, operation=operation, rule=error.code)


def accounts_of(policy: LivePolicy) -> Speak:
    """Return what makes a target's account of a credential, by its provider's module."""

    @contextmanager
    def speak(target: str, issued: Issued) -> Iterator[Account]:
        settings = policy.catalogue.gateways.get(target)
        if settings is None:
            no_account(target, issued)
            return
        provider = PROVIDERS[settings.provider]
        with closing(provider.account(settings, provider.key(issued, settings))) as account:
            yield account

    return speak
