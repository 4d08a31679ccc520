"""A control plane on a broker that keeps its secrets in a dictionary, behind the real interface."""

from types import SimpleNamespace

import pytest
from control_fakes import Clock, FakeBroker

from qsec_jupyter.control.asking import Wish
from qsec_jupyter.control.control_plane import ControlPlane
from qsec_jupyter.control.policy.bundle import Place
from qsec_jupyter.control.policy.live import LivePolicy
from qsec_jupyter.core.model import Principal
from qsec_jupyter.ledger.entries import read_events

ADA = Principal("ada", "Ada", "local account", roles=("researcher", "approver"))


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
