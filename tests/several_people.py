"""One control plane that several people use over HTTP, each by their own bearer; a real sealed store."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from pathlib import Path

import pytest
from catalogue import target

from qsec_jupyter.control.app import make_app
from qsec_jupyter.control.callers import Caller
from qsec_jupyter.control.control_plane import ControlPlane
from qsec_jupyter.control.credentials.keystore import KeyStore
from qsec_jupyter.control.credentials.sealed import SealedBroker
from qsec_jupyter.control.policy.bundle import Place
from qsec_jupyter.control.policy.live import LivePolicy
from qsec_jupyter.core.model import Principal
from qsec_jupyter.core.secret import Secret

OWNERS_THEN_SECURITY = """
environment = "production"
rounds = [{ reviewers = ["group:owners"], quorum = 2 }, { reviewers = ["group:security"], quorum = 1 }]
"""
BOUND = 'bind_payload = true\nbackends = ["bound_*"]'
REVIEWED = {"provider": "ibm", "approval": "review", "max_duration": "4h"}
CATALOGUE = (
    target("open") + target("premium", OWNERS_THEN_SECURITY, **REVIEWED) + target("bound", BOUND, **REVIEWED)
)


def person(name: str, *roles: str, groups: tuple[str, ...] = (), subject: str = "") -> Principal:
    return Principal(name, name.title(), "test", "otp", groups, roles, subject=subject or f"id-{name}")


PEOPLE = (
    person("ada", "researcher"),
    person("bo", "approver", groups=("owners",)),
    person("cy", "approver", "researcher", groups=("owners",)),
    person("sec", "approver", groups=("security",)),
    person("dev", "developer"),
    person("op", "operator"),
    person("adm", "admin"),
    person("aud", "auditor"),
    person("guest"),
)


class Team:
    """Speaks for everybody."""

    def __init__(self, plane: ControlPlane, client) -> None:
        self.plane, self.client = plane, client
        for who in PEOPLE:
            self.join(who)

    def join(self, who: Principal, server_id: str = "") -> str:
        """Let somebody in, from a server of their own; return the name to speak by."""
        self.plane.callers.add(
            Secret(f"bearer-of-{who.name}-{server_id}", "bearer"),
            Caller(who, server_id or f"server-{who.name}"),
        )
        return who.name

    def ask(self, name: str, method: str, path: str, body=None, *, kernel: str | None = None, server=""):
        headers = {"Authorization": f"Bearer bearer-of-{name}-{server}"}
        if kernel is not None:
            headers["Qsec-Kernel"] = kernel
        answer = self.client.request(method, path, json=body, headers=headers)
        return answer.status_code, answer.json()

    def request(self, name: str = "ada", target: str = "premium", kernel: str = "k1", **more):
        body = {"target": target, "reason": "a reason", "kernel_id": kernel, **more}
        status, grant = self.ask(name, "POST", "/v1/grants", body)
        assert status == 201, grant
        return grant

    def approve(self, name: str, grant, **more) -> int:
        return self.ask(name, "POST", f"/v1/grants/{grant['id']}/approve", more)[0]

    def state(self, grant) -> str:
        return self.ask("aud", "GET", f"/v1/grants/{grant['id']}")[1]["state"]

    def credential(self, name: str, target: str, kernel: str = "k1"):
        return self.ask(name, "POST", "/v1/credentials", {"target": target}, kernel=kernel)


def open_plane(home: Path, **kwargs) -> ControlPlane:
    """Open a control plane of several people on the sealed store."""
    policy = LivePolicy(Place(home))
    broker = SealedBroker(home, policy.catalogue.sources, KeyStore(home, None))
    plane = ControlPlane(home, broker, policy, PEOPLE[0], "server-ada", single_user=False, **kwargs)
    plane.open()
    return plane


def client_of(plane: ControlPlane):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fastapi.testclient import TestClient
    return TestClient(make_app(plane), base_url="http://127.0.0.1", raise_server_exceptions=False)


@contextmanager
def team_at(home: Path, catalogue: str = CATALOGUE, **kwargs):
    """Give a team with a control plane of its own; the value of the target ``open`` is kept already."""
    (home / "catalog.toml").write_text(catalogue)
    plane = open_plane(home, **kwargs)
    plane.broker.put("open", {"token": Secret("a-value-nobody-guesses", "open")})
    yield Team(plane, client_of(plane))
    plane.close()


@pytest.fixture
def team(tmp_path):
    with team_at(tmp_path) as found:
        yield found
