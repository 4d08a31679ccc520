"""A control plane on a broker that keeps its secrets in a dictionary, behind the real interface."""

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from qsec_jupyter.control.asking import Wish
from qsec_jupyter.control.control_plane import ControlPlane
from qsec_jupyter.control.credentials.broker import Check, Issued, SessionRef, VaultInfo, WrappedKey
from qsec_jupyter.control.policy.bundle import Place
from qsec_jupyter.control.policy.live import LivePolicy
from qsec_jupyter.core.errors import Unavailable
from qsec_jupyter.core.model import Principal
from qsec_jupyter.core.secret import Secret
from qsec_jupyter.ledger.keys import LocalSigner
from qsec_jupyter.ledger.log import read_events

ADA = Principal("ada", "Ada", "local account", roles=("researcher", "approver"))


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
        value = Secret(f"s3cret-value-{self.issued}", request.target)
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


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def broker() -> FakeBroker:
    return FakeBroker()


@pytest.fixture
def make_plane(tmp_path, broker, clock):
    """Return a function that opens a control plane; every one is closed when the test is over."""
    made = []

    def make(
        principal: Principal = ADA,
        server_id: str = "server-1",
        server_pid: int = 0,
        *,
        single_user: bool = True,
    ) -> ControlPlane:
        policy = LivePolicy(Place(tmp_path))
        plane = ControlPlane(tmp_path, broker, policy, principal, server_id, clock, server_pid, single_user)
        made.append(plane)
        plane.open()
        return plane

    yield make
    for plane in made:
        if not getattr(plane, "gone", False):
            plane.close()


@pytest.fixture
def plane(make_plane) -> ControlPlane:
    return make_plane()


@pytest.fixture
def events(tmp_path):
    """Return a function that reads the ledger: the names of its events, or those of one name."""

    def read(name: str | None = None):
        found = list(read_events(tmp_path / "journal-0" / "ledger"))
        return [event["type"] for event in found] if name is None else [e for e in found if e["type"] == name]

    return read


@pytest.fixture
def ask(plane):
    """Shorthand for what most tests do."""

    def request(target="sandbox", kernel="k1", **kwargs):
        values = {"reason": "first run", "ticket": "QC-1", "duration": "30m", **kwargs}
        return plane.access.request(plane.owner.by(kernel), Wish(target, kernel, **values))

    return SimpleNamespace(
        request=request,
        credential=lambda target="sandbox", kernel="k1": plane.issuing.issue(plane.owner.by(kernel), target),
        state=lambda grant: plane.lookup.get(grant.id, plane.owner).state,
    )
