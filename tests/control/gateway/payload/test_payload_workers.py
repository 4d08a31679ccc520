"""The processes in which jobs are read."""

import asyncio
import contextlib
import os
import re
import signal
from pathlib import Path

import pytest
from ibm_jobs import KEY, sampler
from qiskit import QuantumCircuit

from qsec_jupyter.control.gateway.payload import Limits, Workers
from qsec_jupyter.core.errors import Invalid


def body() -> bytes:
    circuit = QuantumCircuit(2, name="secret")
    circuit.h(0)
    circuit.measure_all()
    return sampler((circuit, None, 10))


def with_workers(use, **options) -> None:
    async def run() -> None:
        workers = Workers(**options)
        try:
            await use(workers)
        finally:
            await workers.close()

    asyncio.run(run())


def pids(workers) -> list[int]:
    return [worker._process.pid for worker in workers._all]


def shown(pid, what) -> bytes:
    return Path(f"/proc/{pid}/{what}").read_bytes()


def limits(pid) -> dict[str, list[str]]:
    lines = [re.split(r"\s{2,}", line) for line in shown(pid, "limits").decode().splitlines()[1:]]
    return {line[0]: line[1:3] for line in lines}


def test_a_job_is_read_in_another_process_that_may_do_nothing_else(monkeypatch) -> None:
    monkeypatch.setenv("QSEC_CANARY", "canary")

    async def use(workers) -> None:
        read = await workers.read("ibm", body(), key=KEY)
        assert read.circuits[0].size == 3
        (pid,) = pids(workers)
        for name in ("open files", "core file size", "file size", "processes"):
            assert limits(pid)[f"Max {name}"] == ["0", "0"], name
        assert b"canary" not in shown(pid, "environ")

    with_workers(use)


def test_several_jobs_at_once_keep_to_their_own_answers() -> None:
    async def use(workers) -> None:
        bodies = [sampler((QuantumCircuit(n + 1, name=f"secret-{n}"), None, n + 1)) for n in range(8)]
        found = await asyncio.gather(*[workers.read("ibm", one, key=KEY) for one in bodies])
        assert [read.shots for read in found] == list(range(1, 9))
        assert [read.circuits[0].width for read in found] == list(range(1, 9))
        assert len(pids(workers)) == 2

    with_workers(use)


def test_a_worker_that_dies_is_replaced() -> None:
    async def use(workers) -> None:
        await workers.read("ibm", body(), key=KEY)
        (first,) = pids(workers)
        os.kill(first, signal.SIGKILL)
        with contextlib.suppress(Invalid):  # the one that was with it, or none
            await workers.read("ibm", body(), key=KEY)
        await workers.read("ibm", body(), key=KEY)
        assert first not in pids(workers)

    with_workers(use)


def test_an_abandoned_job_does_not_answer_the_next() -> None:
    async def use(workers) -> None:
        await workers.warm()
        asking = asyncio.ensure_future(workers.read("ibm", body(), key=KEY))
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        other = sampler((QuantumCircuit(5), None, 77))
        assert (await workers.read("ibm", other, key=KEY)).shots == 77

    with_workers(use, most=1)


def test_a_body_is_refused_by_its_size_before_a_worker_sees_it() -> None:
    async def use(workers) -> None:
        with pytest.raises(Invalid, match="too large"):
            await workers.read("ibm", b" " * 2_000_000)
        assert not pids(workers)

    with_workers(use, limits=Limits(body=1_000_000))
