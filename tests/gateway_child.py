"""A control plane whose gateway leads to a real sandbox, both processes of their own, for tests.

A :class:`Gated` knows the gateway's address and asks for grants and tokens as a kernel does.
"""

import pytest
import requests
from catalogue import target
from control_child import Child

from qsec_jupyter.control.catalog import load_catalog
from qsec_jupyter.control.credentials.keeping import SealedKeeping
from qsec_jupyter.control.credentials.keystore import KeyStore
from qsec_jupyter.core.listening import listen
from qsec_jupyter.core.secret import Secret

GATEWAY = """
retrieve = "2d"
backends = ["sandbox_*", "mock_*"]
[targets.{name}.gateway]
provider = "ibm"
instance = "{crn}"
hide = {hide}
answer = "5s"
submit = "10s"
[targets.{name}.gateway.addresses]
iam = "{iam}"
runtime = "{runtime}"
search = "{search}"
catalog = "{catalog}"
"""


def entry(sandbox, name="ibm-pilot", hide="true", **instead):
    """Return a target of the catalogue that leads to a sandbox; ``instead`` replaces addresses."""
    addresses = {key: sandbox.hello[key] for key in ("iam", "runtime", "search", "catalog")} | instead
    gateway = GATEWAY.format(name=name, hide=hide, crn=sandbox.crn, **addresses)
    return target(name, gateway, provider="ibm", tier="proxy")


def put_key(home, name, key):
    """Keep a provider's key for a target of a state folder's catalogue."""
    source = load_catalog(home).sources[name]
    SealedKeeping(home, KeyStore(home, None)).put(name, source, {"token": Secret(key, name)})


class Gated:
    """A control plane with a gateway."""

    def __init__(self, home, catalogue, keys, **how):
        self.home = home
        home.mkdir(mode=0o700, exist_ok=True)
        (home / "catalog.toml").write_text(catalogue)
        for name, key in keys.items():
            put_key(home, name, key)
        self.child = Child(home, **how)
        self.port = self.child.greeting["gateway_port"]

    def address(self, target="ibm-pilot"):
        return f"http://127.0.0.1:{self.port}/{target}"

    def grant(self, kernel="k1", target="ibm-pilot", **wish):
        status, grant = self.child.ask(
            "POST", "/v1/grants", {"target": target, "reason": "r", **wish}, kernel=kernel
        )
        assert status in {200, 201}, grant
        return grant

    def credential(self, kernel="k1", target="ibm-pilot", job=None):
        wanted = {"target": target, "job": job}
        status, issued = self.child.ask("POST", "/v1/credentials", wanted, kernel=kernel)
        assert status == 200, issued
        return issued

    def token(self, kernel="k1", target="ibm-pilot"):
        """Ask for a grant and return its token."""
        self.grant(kernel, target)
        return self.credential(kernel, target)["value"]

    def revoke(self, grant, kernel="k1"):
        status, ended = self.child.ask("POST", f"/v1/grants/{grant['id']}/revoke", {}, kernel=kernel)
        assert status == 200, ended

    def leave(self, kernel):
        """Have a kernel end, and with it what it holds."""
        status, told = self.child.ask("POST", f"/v1/kernels/{kernel}/ended", {})
        assert status == 200, told

    def call(self, method, path, token, target="ibm-pilot", api="runtime", **options):
        with requests.Session() as session:
            session.trust_env = False
            headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
            url = f"{self.address(target)}/{api}{path}"
            return session.request(method, url, headers=headers, timeout=60, allow_redirects=False, **options)

    def events(self, name=None):
        from qsec_jupyter.ledger.entries import read_events

        found = list(read_events(self.home / "journal-0" / "ledger"))
        return [one for one in found if name is None or one["type"] == name]

    def kill(self):
        """Let it die as a crash would have it."""
        self.child.process.kill()
        self.child.process.wait()
        self.child.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.child.process.poll() is None:
            return self.child.close()
        return self.child.process.returncode


@pytest.fixture
def gated(tmp_path, sandbox):
    """A gateway in front of the shared sandbox."""
    with Gated(tmp_path / "home", entry(sandbox), {"ibm-pilot": sandbox.key}) as found:
        yield found


@pytest.fixture
def start_gated(tmp_path):
    """Return a function that starts a control plane, again and again, as one Jupyter Server would.

    The server holds the gateway's port, and says which kernels live; without ``gate`` it does neither.
    """
    home = tmp_path / "home"
    begun = []

    def start(catalogue, keys, kernels=("k1",), gate=True, **how):
        how |= {"gate": held, "kernels": {name: [] for name in kernels}} if gate else {}
        begun.append(Gated(home, catalogue, {} if begun else keys, **how))
        return begun[-1]

    with listen() as held:
        yield start
        for one in begun:
            one.close()


@pytest.fixture(scope="session")
def shared_gated(tmp_path_factory, shared_sandbox):
    """A gateway that is shared by tests that end nothing of it; each takes a kernel of its own."""
    home = tmp_path_factory.mktemp("home")
    with Gated(home, entry(shared_sandbox), {"ibm-pilot": shared_sandbox.key}) as found:
        yield found
