"""Credentials: what the control plane adds to a real Vault; many kernels at once; full tables; revoke-all.

The Vault is a dev server of its own; bare hvac does the same calls against it, in turn with us.
"""

from __future__ import annotations

import secrets
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

WARM = 300
KERNELS = 200
LEASES = 500
GRANTS, EVENTS = 10_000, 100_000
Row = dict[str, Any]


def run() -> list[Row]:
    """Return the rows of this module."""
    import vault_server

    rows = panel_rows()
    if vault_server.binary() is None:
        return [*rows, _row("Credentials against a real Vault", 0.0, "", "a Vault: make vault", ok=False)]
    server = vault_server.start()
    try:
        server.set_up()
        return [*rows, *issue_rows(server), *crowd_rows(server), *revoke_rows(server)]
    finally:
        server.stop()


# -- one credential -------------------------------------------------------------------------------


def issue_rows(server: Any) -> list[Row]:
    """Compare issuing with a warm session with the same call by bare hvac."""
    import hvac

    with tempfile.TemporaryDirectory() as folder:
        plane, broker = _plane(Path(folder), server)
        try:
            kernel = plane.owner.by("k1")
            grant = _ask(plane, "k1")
            plane.issuing.issue(kernel, "sandbox")
            token = broker._sessions.known(grant.id).token.reveal()
            client = hvac.Client(server.address, token=token)
            ours, bare = [], []
            for number in range(WARM):
                bare.append(_timed(lambda: _read(client, server)))
                ours.append(_timed(lambda: plane.issuing.issue(kernel, "sandbox")))
                if number == 20:  # the first ones warm up
                    ours, bare = [], []
        finally:
            plane.close()
    a, b = statistics.median(ours), statistics.median(bare)
    return [
        _row("Issue, warm session, against bare hvac", a / b, "x", "<= 1.20", ok=a / b <= 1.2),
        _row("the same, added", (a - b) * 1000, "ms", "-"),
        _row("bare hvac, one read", b * 1000, "ms", "-"),
    ]


def _read(client: Any, server: Any) -> None:
    answer = client.secrets.kv.v2.read_secret_version(
        "targets/sandbox", mount_point=server.mounts.kv, raise_on_deleted_version=True
    )
    assert answer["data"]["data"]["token"] == server.secrets["sandbox"]


# -- many kernels ---------------------------------------------------------------------------------


def crowd_rows(server: Any) -> list[Row]:
    """Have many kernels ask for their first credential at once, each with a grant of its own."""
    with tempfile.TemporaryDirectory() as folder:
        plane, broker = _plane(Path(folder), server)
        try:
            logins = _counted(broker)
            for number in range(KERNELS):
                _ask(plane, f"k{number}")
            alone = []
            for number in range(20):
                _ask(plane, f"one{number}")
                kernel = plane.owner.by(f"one{number}")
                alone.append(_timed(lambda kernel=kernel: plane.issuing.issue(kernel, "sandbox")))
            before = logins[0]
            times, errors = _at_once(
                [
                    lambda n=number: plane.issuing.issue(plane.owner.by(f"k{n}"), "sandbox")
                    for number in range(KERNELS)
                ]
            )
            single, p99 = statistics.median(alone), statistics.quantiles(times, n=100)[98]
            made = logins[0] - before
        finally:
            plane.close()
    ratio = p99 / single
    return [
        _row(f"{KERNELS} kernels at once, errors", float(len(errors)), "", "0", ok=not errors),
        _row("p99 against one alone (first credential)", ratio, "x", "<= 10", ok=ratio <= 10),
        _row("one alone, median", single * 1000, "ms", "-"),
        _row("logins to the Vault per grant", made / KERNELS, "", "<= 1", ok=made <= KERNELS),
    ]


def _counted(broker: Any) -> list[int]:
    from qsec_jupyter.control.credentials import vault_sessions

    count, plain = [0], vault_sessions.log_in

    def log_in(*args: Any) -> Any:
        count[0] += 1
        return plain(*args)

    vault_sessions.log_in = log_in
    return count


def _at_once(calls: list[Callable[[], Any]]) -> tuple[list[float], list[Exception]]:
    times: list[float] = []
    errors: list[Exception] = []
    gate = threading.Barrier(len(calls))

    def work(call: Callable[[], Any]) -> None:
        gate.wait()
        try:
            times.append(_timed(call))
        except Exception as error:  # counted
            errors.append(error)

    threads = [threading.Thread(target=work, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times or [float("inf")] * 2, errors


# -- ending ---------------------------------------------------------------------------------------


def revoke_rows(server: Any) -> list[Row]:
    """End all of many sessions, each verified gone at the Vault."""
    with tempfile.TemporaryDirectory() as folder:
        plane, _ = _plane(Path(folder), server)
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
    return [_row(name, seconds, "s", "<= 10", ok=seconds <= 10 and len(ended) == LEASES and not left)]


# -- full tables ----------------------------------------------------------------------------------


def panel_rows() -> list[Row]:
    """Ask what the panel asks, with many grants and events in the database."""
    from qsec_jupyter.control import tables
    from qsec_jupyter.control.events import EventQuery

    with tempfile.TemporaryDirectory() as folder:
        plane, _ = _plane(Path(folder), None)
        try:
            _fill(plane, tables)
            owner = plane.owner
            mine = replace(owner, principal=replace(owner.principal, roles=("researcher",)))
            queries: dict[str, Callable[[], Any]] = {
                "snapshot": lambda: plane.panel.snapshot(owner),
                "own events": lambda: plane.events.listed(mine, EventQuery()),
                "own events of a family": lambda: plane.events.listed(mine, EventQuery("grant")),
                "all events of a kind and target": lambda: plane.events.listed(
                    owner, EventQuery("lock.set", "pilot")
                ),
                "a page far back": lambda: plane.events.listed(mine, EventQuery(), 500),
                "events of one day": lambda: plane.events.listed(
                    mine, EventQuery(until="2026-01-02T00:00:00.000Z")
                ),
            }
            times = {name: min(_timed(query) for _ in range(5)) * 1000 for name, query in queries.items()}
        finally:
            plane.close()
    about = f"{GRANTS:,} grants, {EVENTS:,} events"
    return [_row(f"{about}: {name}", value, "ms", "<= 50", ok=value <= 50) for name, value in times.items()]


def _fill(plane: Any, tables: Any) -> None:
    from qsec_jupyter.core.events import EVENT_TYPES
    from qsec_jupyter.core.model import Principal

    somebody = Principal("somebody", "Somebody", "")
    me, other = plane.store.subject(plane.principal)[0], plane.store.subject(somebody)[0]
    details = {"requester_roles": ["researcher"], "votes": []}
    grants = [
        {
            "id": secrets.token_hex(16), "server_id": plane.owner.server_id, "kernel_id": f"k{number % 50}",
            "target": "sandbox", "state": "expired", "requester": plane.principal.name, "reason": "r",
            "requester_subject": plane.principal.subject, "ticket": None, "duration": 60,
            "requested_at": f"2026-01-{1 + number % 28:02}T00:00:00.000Z",
            "ended_at": "2026-01-30T00:00:00.000Z", "policies": [], "details": details,
        }
        for number in range(GRANTS)
    ]  # fmt: skip
    kinds, first = list(EVENT_TYPES), plane.events.newest + 1
    rows = [
        {
            "position": first + number, "time": f"2026-01-{1 + number // 4000:02}T00:00:00.000Z",
            "kind": kinds[number % len(kinds)], "target": ("sandbox", "pilot")[number % 2],
            "grant_id": grants[number % GRANTS]["id"], "asserted_by": "control",
            "data": {"actor": (me, other)[number % 3 == 0], "reason_hmac": "0" * 64, "policy": "0" * 64},
        }
        for number in range(EVENTS)
    ]  # fmt: skip
    concerned = [
        {"subject": row["data"]["actor"], **{key: row[key] for key in ("position", "kind", "target")}}
        for row in rows
    ]
    plane.store.add_all([(tables.grants, grants), (tables.events, rows), (tables.concerned, concerned)])
    plane.events.settle = lambda: True  # what was put past the ledger is not looked for there


# -- parts ----------------------------------------------------------------------------------------


def _plane(home: Path, server: Any) -> tuple[Any, Any]:
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

    caps = "\n[caps]\ngrants_per_user = 2000\nleases_per_user = 2000\n"
    (home / "catalog.toml").write_text((SHIPPED / "catalog.toml").read_text() + caps)
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


def _ask(plane: Any, kernel: str) -> Any:
    from qsec_jupyter.control.asking import Wish

    return plane.access.request(plane.owner.by(kernel), Wish("sandbox", kernel, "bench", "QC-1", "1h"))


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _row(name: str, value: float, unit: str, target: str, *, ok: bool = True) -> Row:
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": ok}
