"""The gateway against the same client that talks to the sandbox directly, call by call in turn."""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import requests

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

TARGET = "ibm-pilot"
BYTES = 100_000_000
CALLS, SUBMITS, DOWNLOADS = 300, 25, 7
CLIENTS, SECONDS = 100, 5.0


class Sides:
    """The two ways to one provider: directly, and through the gateway."""

    def __init__(self, folder: Path) -> None:
        import sandbox_server
        from gateway_child import Gated, entry

        (folder / "sandbox").mkdir()
        (folder / "home").mkdir()
        self.sandbox = sandbox_server.start(folder / "sandbox")
        self.sandbox.set(execution="none")
        self.gated = Gated(folder / "home", entry(self.sandbox), {TARGET: self.sandbox.key})
        self.gated.grant()
        self.token = self.gated.credential()["value"]
        bases = {"direct": self.sandbox.runtime, "gateway": f"{self.gated.address()}/runtime"}
        bearers = {"direct": self.sandbox.bearer(), "gateway": self.token}
        self.bases, self.sessions = bases, {}
        for name in bases:
            session = requests.Session()
            session.trust_env = False
            session.headers.update(
                {
                    "Authorization": f"Bearer {bearers[name]}",
                    "Service-CRN": self.sandbox.crn,
                    "IBM-API-Version": "2026-04-15",
                }
            )
            self.sessions[name] = session
        self.clients = {name: _client(bases[name], self.sessions[name]) for name in bases}
        self._submitted = 0

    def close(self) -> None:
        """End both."""
        for session in self.sessions.values():
            session.close()
        self.gated.close()
        self.sandbox.stop()

    def call(self, side: str, method: str, path: str, **options: Any) -> requests.Response:
        """Send one request; a refusal raises."""
        answer = self.sessions[side].request(
            method, self.bases[side] + path, timeout=120, allow_redirects=False, **options
        )
        answer.raise_for_status()
        return answer

    def job(self, side: str, body: str) -> str:
        """Submit a job and return its id."""
        answer = self.call(side, "POST", "/jobs", data=body, headers={"Content-Type": "application/json"})
        return str(answer.json()["id"])

    def finished(self, side: str, body: str) -> str:
        """Submit a job, wait for its end, and return its id."""
        job = self.job(side, body)
        while self.call(side, "GET", f"/jobs/{job}?exclude_params=true").json()["status"] != "Completed":
            time.sleep(0.05)
        return job

    def results(self, side: str, job: str) -> None:
        """Fetch a job's results by the very call of IBM's client, its session included."""
        assert len(self.clients[side].program_job(job).results()) >= BYTES

    def stream(self, side: str, job: str) -> None:
        """Fetch a job's results and throw them away, faster than any client that reads them."""
        with self.call(side, "GET", f"/jobs/{job}/results", stream=True) as answer:
            assert sum(map(len, answer.iter_content(1 << 20))) >= BYTES

    def body(self, width: int = 2, gates: int = 5) -> str:
        """Return a job as the client sends it, each a different one."""
        from qiskit import QuantumCircuit
        from qiskit_ibm_runtime.json import RuntimeEncoder

        self._submitted += 1
        circuit = QuantumCircuit(width, width)
        for number in range(gates):
            (circuit.rz if number % 2 else circuit.ry)(0.001 * (number + self._submitted), number % width)
        circuit.measure(range(width), range(width))
        backend = "sandbox_manila" if width <= 5 else "sandbox_brisbane"
        params = {"pubs": [[circuit, None, 100]], "options": {}, "version": 2, "support_qiskit": True}
        return json.dumps({"program_id": "sampler", "backend": backend, "params": params}, cls=RuntimeEncoder)


def _client(base: str, session: requests.Session) -> Any:
    """Return IBM's own client of the REST interface, with that session's headers."""
    from qiskit_ibm_runtime.api.rest.runtime import Runtime
    from qiskit_ibm_runtime.api.session import RetrySession

    def sign(request: Any) -> Any:
        request.headers.update(session.headers)
        return request

    return Runtime(RetrySession(base, auth=sign))  # type: ignore[arg-type]


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def added(sides: Sides, count: int, work: Callable[[str], Callable[[], Any]]) -> float:
    """Return by how much the median of calls through the gateway is above that of direct ones (ms)."""
    for side in sides.bases:
        for _ in range(3):
            work(side)()
    pairs = [[timed(work(side)) for side in sides.bases] for _ in range(count)]
    direct, gateway = (statistics.median(times) for times in zip(*pairs, strict=True))
    return (gateway - direct) * 1000


def metadata_row(sides: Sides) -> dict[str, Any]:
    extra = added(
        sides, CALLS, lambda side: lambda: sides.call(side, "GET", "/backends/sandbox_manila/status").content
    )
    return _row("Gateway: a call for a device's status, added", extra, "ms", "<= 2", ok=extra <= 2)


def submit_row(sides: Sides) -> dict[str, Any]:
    def work(side: str) -> Callable[[], Any]:
        body = sides.body(127, 5000)
        return lambda: sides.job(side, body)

    extra = added(sides, SUBMITS, work)
    return _row("Gateway: submit 127 qubits, 5,000 gates, added", extra, "ms", "<= 25", ok=extra <= 25)


def download_rows(sides: Sides) -> list[dict[str, Any]]:
    import psutil

    sides.sandbox.plant(BYTES, times=2)
    jobs = {side: sides.finished(side, sides.body()) for side in sides.bases}

    ways = {"client": sides.results, "socket": sides.stream}
    process = psutil.Process(sides.gated.child.process.pid)
    before, peak, done = process.memory_info().rss, [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.01):
            peak[0] = max(peak[0], process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    ratios = {}
    for name, way in ways.items():
        pairs = [[timed(partial(way, side, jobs[side])) for side in sides.bases] for _ in range(DOWNLOADS)]
        direct, gateway = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratios[name] = direct / gateway
    done.set()
    watcher.join()
    ratio, grown = ratios["client"], (peak[0] - before) / 2**20
    return [
        _row("Gateway: throughput of 100 MB results, IBM's client", ratio, "x", ">= 0.9", ok=ratio >= 0.9),
        _row("the same, thrown away as it comes", ratios["socket"], "x", "-"),
        _row("Gateway: process grows by, meanwhile", grown, "MB", "< 64", ok=grown < 64),
    ]


def crowd_rows(sides: Sides) -> list[dict[str, Any]]:
    """Many clients that poll a job's state, each on a connection of its own."""
    job = sides.job("gateway", sides.body())
    port = sides.gated.port
    request = (
        f"GET /{TARGET}/runtime/jobs/{job}?exclude_params=true HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Authorization: Bearer {sides.token}\r\nAccept: application/json\r\n\r\n"
    ).encode()

    async def client(until: float, counts: list[int]) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < until:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            await reader.readexactly(int(length.partition(b":")[2]))
            counts[0 if head.startswith(b"HTTP/1.1 200") else 1] += 1
        writer.close()

    async def crowd() -> list[int]:
        counts = [0, 0]
        until = time.perf_counter() + SECONDS
        await asyncio.gather(*(client(until, counts) for _ in range(CLIENTS)))
        return counts

    good, bad = asyncio.run(crowd())
    rate = good / SECONDS
    return [
        _row("Gateway: errors among 100 clients at once", float(bad), "", "0", ok=bad == 0),
        _row("Gateway: status polls", rate, "1/s", ">= 1000", ok=rate >= 1000),
    ]


def _row(name: str, value: float, unit: str, target: str, *, ok: bool = True) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": ok}


def run() -> list[dict[str, Any]]:
    """Return the rows of this module."""
    with tempfile.TemporaryDirectory() as folder:
        sides = Sides(Path(folder))
        try:
            return [metadata_row(sides), submit_row(sides), *download_rows(sides), *crowd_rows(sides)]
        finally:
            sides.close()
