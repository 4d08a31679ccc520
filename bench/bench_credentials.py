"""Credentials: what the control plane adds to a real Vault; many kernels at once; revoke-all.

The Vault is a dev server of its own; bare hvac does the same calls against it, in turn with us.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from qsec_jupyter.control.credentials.broker import TargetSource

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

WARM = 300
MADE_ANEW = 60
KERNELS, ROUNDS = 200, 3
LEASES = 500
DATA, CERT = TargetSource("database", "reader"), TargetSource("pki", "client")
MORE = """
[caps]
grants_per_user = 2000
leases_per_user = 2000

[targets.data]
title = "Database"
provider = "simulator"
tier = "deliver"
approval = "auto"
max_duration = "8h"
default_duration = "1h"
source = { engine = "database", path = "reader" }

[targets.cert]
title = "Certificate"
provider = "simulator"
tier = "deliver"
approval = "auto"
max_duration = "8h"
default_duration = "1h"
source = { engine = "pki", path = "client" }
"""
Row = dict[str, Any]


def run() -> list[Row]:
    """Return the rows of this module."""
    import postgres_server
    import vault_server

    rows: list[Row] = []
    if vault_server.binary() is None:
        return [row("Credentials against a real Vault", 0.0, "", "a Vault: make vault", ok=False)]
    with ExitStack() as stack:
        plugins = vault_server.plugins(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        server = vault_server.start(*([f"-dev-plugin-dir={plugins}"] if any(plugins.iterdir()) else []))
        stack.callback(server.stop)
        server.set_up({**vault_server.TARGETS, "data": DATA, "cert": CERT})
        _set_up_pki(server)
        engines = ["sandbox", "cert"]
        if postgres_server.programs() is None:
            rows.append(row("Database users", 0.0, "", "a PostgreSQL", ok=False))
        else:
            _set_up_database(server, stack.enter_context(postgres_server.running()))
            engines.append("data")
        warm = [row for target in engines for row in warm_rows(server, target)]
        return [*rows, *warm, *crowd_rows(server), *revoke_rows(server)]


# -- one credential -------------------------------------------------------------------------------


def warm_rows(server: Any, target: str) -> list[Row]:
    """Compare issuing with a warm session with the same one call by bare hvac.

    A user or certificate is held for its grant, so ours is dropped each time: else there is no call.
    """
    import hvac

    name, times, bare = {
        "sandbox": ("kv read", WARM, _read),
        "data": ("database user", MADE_ANEW, _user),
        "cert": ("pki certificate", MADE_ANEW, _certificate),
    }[target]
    with tempfile.TemporaryDirectory() as folder:
        plane, broker = opened(Path(folder), server)
        try:
            kernel = plane.owner.by("k1")
            grant = _ask(plane, "k1", target)
            plane.issuing.issue(kernel, target)
            slot = broker._sessions.known(grant.id)
            client = hvac.Client(server.address, token=slot.token.reveal())
            ours, theirs = [], []
            for number in range(times):
                slot.drop()
                theirs.append(timed(lambda: bare(client, server)))
                ours.append(timed(lambda: plane.issuing.issue(kernel, target)))
                if number == times // 10:  # the first ones warm up
                    ours, theirs = [], []
        finally:
            plane.close()
    a, b = statistics.median(ours), statistics.median(theirs)
    return [
        row(f"Warm session, {name}, against bare hvac", a / b, "x", "<= 1.20", ok=a / b <= 1.2),
        row("the same, added", (a - b) * 1000, "ms", "-"),
        row(f"bare hvac, {name}", b * 1000, "ms", "-"),
    ]


def _read(client: Any, server: Any) -> None:
    answer = client.secrets.kv.v2.read_secret_version(
        "targets/sandbox", mount_point=server.mounts.kv, raise_on_deleted_version=True
    )
    assert answer["data"]["data"]["token"] == server.secrets["sandbox"]


def _user(client: Any, server: Any) -> None:
    assert client.secrets.database.generate_credentials("reader")["data"]["password"]


def _certificate(client: Any, server: Any) -> None:
    assert client.secrets.pki.generate_certificate("client", "cert")["data"]["private_key"]


def _set_up_database(server: Any, postgres: Any) -> None:
    address = f"127.0.0.1:{postgres.port}/postgres?sslmode=disable"
    config = {
        "plugin_name": "postgresql-database-plugin",
        "allowed_roles": "*",
        "connection_url": f"postgresql://{{{{username}}}}:{{{{password}}}}@{address}",
        "username": "qsec_admin",
        "password": postgres.password,
    }
    server.admin("POST", "database/config/pg", config)
    create = "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"
    role = {"db_name": "pg", "creation_statements": [create], "default_ttl": "10m", "max_ttl": "1h"}
    server.admin("POST", "database/roles/reader", role)


def _set_up_pki(server: Any) -> None:
    server.admin("POST", "pki/root/generate/internal", {"common_name": "bench root", "ttl": "24h"})
    role = {"allow_any_name": True, "enforce_hostnames": False, "client_flag": True, "server_flag": False}
    kind = {"generate_lease": True, "key_type": "ec", "key_bits": 256, "ttl": "10m"}
    server.admin("POST", "pki/roles/client", {**role, **kind})


# -- many kernels ---------------------------------------------------------------------------------


def crowd_rows(server: Any) -> list[Row]:
    """Have many kernels ask for their first credential at once: a login and a read each.

    Bare hvac does the same two calls in turn with us, alone and at once; its assertions are made before.
    """
    sides: dict[str, list[float]] = {name: [] for name in ("ours", "bare", "ours at once", "bare at once")}
    errors = made = 0
    for number in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            plane, _ = opened(Path(folder), server)
            try:
                names = [f"one{number}-{one}" for one in range(20)] + [f"k{one}" for one in range(KERNELS)]
                for name in names:
                    _ask(plane, name)
                ours = [partial(plane.issuing.issue, plane.owner.by(name), "sandbox") for name in names]
                bare = [partial(_first, server, assertion) for assertion in _assertions(server, names)]
                for one, other in zip(bare[:20], ours[:20], strict=True):
                    sides["bare"].append(timed(one))
                    sides["ours"].append(timed(other))
                times, wrong = _at_once(bare[20:])
                sides["bare at once"].append(_p99(times))
                with _logins() as logins:
                    times, failed = _at_once(ours[20:])
                sides["ours at once"].append(_p99(times))
                errors, made = errors + len(failed), max(made, len(logins))
                assert not wrong, wrong[0]
            finally:
                plane.close()
    alone, crowd, bare_alone, bare_crowd = (
        statistics.median(sides[name]) for name in ("ours", "ours at once", "bare", "bare at once")
    )
    ratio, theirs = crowd / alone, bare_crowd / bare_alone
    return [
        row(f"{KERNELS} kernels at once, errors", float(errors), "", "0", ok=not errors),
        row("p99 against one alone (first credential)", ratio, "x", "<= 10", ok=ratio <= 10),
        row("the same of bare hvac", theirs, "x", "-"),
        row("p99 at once, against bare hvac's", crowd / bare_crowd, "x", "-"),
        row("p99 at once", crowd * 1000, "ms", "-"),
        row("one alone, median", alone * 1000, "ms", "-"),
        row("one alone, against bare hvac", alone / bare_alone, "x", "-"),
        row("logins to the Vault per grant", made / KERNELS, "", "<= 1", ok=made <= KERNELS),
    ]


def _assertions(server: Any, names: list[str]) -> list[str]:
    import vault_server

    return [server.identity.for_session(vault_server.request(grant=name)).reveal() for name in names]


def _first(server: Any, assertion: str) -> None:
    import hvac

    from qsec_jupyter.control.credentials.naming import target_role

    client = hvac.Client(server.address)
    client.auth.jwt.jwt_login(target_role("sandbox"), assertion, path=server.mounts.auth)
    _read(client, server)


@contextmanager
def _logins() -> Iterator[list[str]]:
    """Note each login of a session meanwhile."""
    from qsec_jupyter.control.credentials import vault_sessions

    made: list[str] = []
    plain = vault_sessions.log_in

    def log_in(adapter: Any, mounts: Any, role: str, assertion: Any) -> Any:
        made.append(role)
        return plain(adapter, mounts, role, assertion)

    vault_sessions.log_in = log_in
    try:
        yield made
    finally:
        vault_sessions.log_in = plain


def _at_once(calls: list[Callable[[], Any]]) -> tuple[list[float], list[Exception]]:
    times: list[float] = []
    errors: list[Exception] = []
    gate = threading.Barrier(len(calls))

    def work(call: Callable[[], Any]) -> None:
        gate.wait()
        try:
            times.append(timed(call))
        except Exception as error:  # counted
            errors.append(error)

    threads = [threading.Thread(target=work, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times or [float("inf")] * 2, errors


def _p99(times: list[float]) -> float:
    return statistics.quantiles(times, n=100)[98]


# -- ending ---------------------------------------------------------------------------------------


def revoke_rows(server: Any) -> list[Row]:
    """End all of many sessions, each verified gone at the Vault."""
    with tempfile.TemporaryDirectory() as folder:
        plane, _ = opened(Path(folder), server)
        try:
            for number in range(LEASES):
                _ask(plane, f"k{number}")
                plane.issuing.issue(plane.owner.by(f"k{number}"), "sandbox")
            began = time.perf_counter()
            _, ended = plane.ending.lock(plane.owner, "site", "", "bench")
            seconds = time.perf_counter() - began
            left = plane.sessions.pending()
        finally:
            plane.close()
    name = f"Lock of the site: {len(ended)} sessions verified gone"
    return [row(name, seconds, "s", "<= 10", ok=seconds <= 10 and len(ended) == LEASES and not left)]


# -- parts ----------------------------------------------------------------------------------------


def opened(home: Path, server: Any) -> tuple[Any, Any]:
    """Return an opened control plane on the Vault, or on the sealed store, and its broker."""
    from qsec_jupyter.control.control_plane import ControlPlane
    from qsec_jupyter.control.credentials.keystore import KeyStore
    from qsec_jupyter.control.credentials.sealed import SealedBroker
    from qsec_jupyter.control.credentials.signers import new_seed, signer_of
    from qsec_jupyter.control.credentials.vault import Endpoint, VaultAdapter
    from qsec_jupyter.control.credentials.vault_broker import VaultBroker
    from qsec_jupyter.control.credentials.wrapping import MachineWrapping
    from qsec_jupyter.control.policy.bundle import SHIPPED, Place
    from qsec_jupyter.control.policy.live import LivePolicy
    from qsec_jupyter.core.model import ROLES, Principal

    (home / "catalog.toml").write_text((SHIPPED / "catalog.toml").read_text() + MORE)
    policy = LivePolicy(Place(home))
    local = signer_of(new_seed())
    if server is None:
        broker: Any = SealedBroker(home, policy.catalogue.sources, KeyStore(home, None))
    else:
        broker = VaultBroker(
            VaultAdapter(Endpoint(server.address), 30.0),
            mounts=server.mounts,
            identity=server.identity,
            targets=policy.catalogue.sources,
            local=lambda: local,
            machine=MachineWrapping(KeyStore(home, None)),
            origin="external",
            key_protection=None,
        )
    who = Principal("bench", "Bench", "local account", roles=ROLES)
    plane = ControlPlane(home, broker, policy, who, f"bench-{home.name}")
    plane.open()
    return plane, broker


def _ask(plane: Any, kernel: str, target: str = "sandbox") -> Any:
    from qsec_jupyter.control.asking import Wish

    return plane.access.request(plane.owner.by(kernel), Wish(target, kernel, "bench", "QC-1", "1h"))


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def row(name: str, value: float, unit: str, target: str, *, ok: bool = True) -> Row:
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": ok}
