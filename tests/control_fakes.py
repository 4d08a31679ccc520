"""A clock that is set by hand, and a broker with a dictionary for a store, behind the real interface."""

from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from qsec_jupyter.control.credentials.broker import Check, Issued, SessionRef, VaultInfo, WrappedKey
from qsec_jupyter.core.errors import Unavailable
from qsec_jupyter.core.secret import Secret
from qsec_jupyter.ledger.keys import LocalSigner


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 31, 9, 0, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, **span) -> None:
        self.moment += timedelta(**span)


class FakeBroker:
    """Issues numbered values; can be told to be away, or to leave revocations unverified."""

    def __init__(self) -> None:
        self.info = VaultInfo("sealed-store", "embedded", "a dictionary", None, "file-0600")
        self.away = False
        self.unverified = False
        self.before_answer = lambda: None
        self.open: dict[str, str] = {}
        self.issued = 0
        self.form = "s3cret-value-{}"
        self.kept: list[str] = []
        self.wrapped: list[bytes] = []
        self._keys = [LocalSigner(Ed25519PrivateKey.generate(), name) for name in ("store", "local")]

    def issue(self, request, remember):
        if self.away:
            raise Unavailable("vault.unreachable", "The store does not answer", remedy="Start it.")
        self.issued += 1
        session = SessionRef(f"acc-{self.issued}", (), request.expires_at)
        self.open[session.accessor] = request.target
        remember(session)
        self.before_answer()
        value = Secret(self.form.format(self.issued), request.target)
        return Issued(value, request.expires_at, session, "not at all", "fake")

    def operate(self, request, remember, operation, data, signature=""):
        self.issue(request, remember)
        return f"fake:{operation}"

    def keep(self, request):
        self.kept.append(request.grant_id)

    def revoke(self, session):
        if self.unverified:
            return False
        self.open.pop(session.accessor, None)
        return True

    def checks(self):
        return [Check("vault", not self.away, "a dictionary", "")]

    def signer(self):
        if self.away:
            raise Unavailable("vault.unreachable", "The store does not answer")
        return self._keys[0]

    def local_signer(self):
        return self._keys[1]

    def wrap(self, key):
        if self.away:
            raise Unavailable("vault.unreachable", "The store does not answer")
        self.wrapped.append(key)
        return WrappedKey("fake", str(len(self.wrapped) - 1))

    def unwrap(self, wrapped):
        if self.away:
            raise Unavailable("vault.unreachable", "The store does not answer")
        return self.wrapped[int(wrapped.blob)]

    def close(self) -> None:
        pass
