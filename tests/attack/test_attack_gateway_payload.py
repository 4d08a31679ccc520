"""Attack: jobs that are built to harm whoever reads them, or to be read in two ways."""

import asyncio
import base64
import contextlib
import io
import json
import os
import pickle
import random
import signal
import struct
import sys
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import psutil
import pytest
from payload_refusals import refusal, refusals as of_worker
from qiskit import QuantumCircuit, qpy
from qiskit.circuit import Parameter, ParameterVector

from qsec_jupyter.control.gateway.payload import Limits, Workers, circuits, ibm
from qsec_jupyter.control.gateway.payload.reading import Reading
from qsec_jupyter.core.errors import Invalid

sys.path.insert(0, str(Path(__file__).parents[1] / "control" / "gateway" / "payload"))
from ibm_jobs import sampler

CANARY = "canary-7f3a"
SLOW = Limits()
SMALL = Limits(unpacked=32 * 1024 * 1024, memory=512 * 1024 * 1024, seconds=5)
MANY_SHOTS = {"num_randomizations": 1000, "shots_per_randomization": 1000}
FEW_SHOTS = {"num_randomizations": 1, "shots_per_randomization": 1, "enable_gates": True}


def refusals(*bodies: bytes, limits: Limits = SMALL, then=None) -> list[str | None]:
    return of_worker(*bodies, honest=honest(), shots=7, limits=limits, canary=CANARY, then=then)


def honest() -> bytes:
    circuit = QuantumCircuit(2, name=CANARY)
    circuit.h(0)
    circuit.measure_all()
    return sampler((circuit, None, 7))


def written(circuit: QuantumCircuit, version: int = 17) -> bytes:
    file = io.BytesIO()
    qpy.dump(circuit, file, version=version)
    return file.getvalue()


def job(data: bytes, *, compressed: bytes | None = None) -> bytes:
    """Return a sampler's job with these bytes for a circuit."""
    value = base64.b64encode(zlib.compress(data) if compressed is None else compressed).decode()
    pub = [{"__type__": "QuantumCircuit", "__value__": value}, None, 1]
    return json.dumps({"program_id": "sampler", "backend": "b", "params": {"pubs": [pub]}}).encode()


def test_a_zip_bomb_is_refused_without_being_unpacked() -> None:
    bomb = zlib.compress(b"\0" * (1 << 30), 9)

    def check(workers) -> None:
        (worker,) = workers._all
        assert psutil.Process(worker._process.pid).memory_info().rss < 600 * 1024 * 1024

    assert refusals(job(b"", compressed=bomb), then=check) == ["payload.too_large"]


def test_many_small_bombs_count_together() -> None:
    value = base64.b64encode(zlib.compress(b"QISKIT" + b"\0" * (8 << 20))).decode()
    one = {"__type__": "ndarray", "__value__": value}
    circuit = json.loads(honest())["params"]["pubs"][0][0]
    pubs = [[circuit, {**one}, 1] for _ in range(20)]
    body = json.dumps({"program_id": "sampler", "params": {"pubs": pubs}}).encode()
    assert refusals(body)[0] in ("payload.too_large", "payload.malformed")


def test_what_is_too_large_never_reaches_a_worker() -> None:
    assert refusals(b'{"a": "' + b"x" * 2_000_000 + b'"}', limits=Limits(body=1_000_000)) == [
        "payload.too_large"
    ]


@pytest.mark.parametrize("extra", ['"backend": "ibm_dear"', '"params": {}', '"program_id": "estimator"'])
def test_a_job_that_says_two_things_is_refused(extra) -> None:
    assert refusals(honest()[:-1] + f", {extra}}}".encode()) == ["payload.malformed"]


def test_shots_that_are_said_twice_are_refused() -> None:
    body = json.loads(honest())
    body["params"]["options"] = {"default_shots": 1}
    text = json.dumps(body).replace('"default_shots": 1', '"default_shots": 1, "default_shots": 1000000')
    escaped = json.dumps(body).replace('"default_shots": 1', '"default_shots": 1, "default_\\u0073hots": 2')
    assert refusals(text.encode(), escaped.encode()) == ["payload.malformed"] * 2


@pytest.mark.parametrize(
    ("rest", "params"),
    [
        ([], {"shots": 1_000_000}),
        ([], {"shots": 1_000_000, "options": {"default_shots": 1}}),
        (["ZZ"], {"precision": 0.001, "options": {"default_shots": 1}}),
        (["ZZ"], {"options": {"default_shots": 1, "twirling": MANY_SHOTS}}),
        (["ZZ"], {"options": {"resilience_level": 1, "default_precision": 0.5, "twirling": MANY_SHOTS}}),
        (["ZZ", None, 0.001], {"options": {"twirling": FEW_SHOTS}}),
    ],
)
def test_no_shots_are_hidden_behind_fewer(rest, params) -> None:
    told = json.loads(sampler((QuantumCircuit(2),)))
    told["params"] = {"pubs": [[told["params"]["pubs"][0][0], *rest]], **params}
    told["program_id"] = "estimator" if rest else "sampler"
    assert ibm.read(json.dumps(told).encode(), Reading(hide=True, key=b"k" * 32)).shots == 1_000_000


@pytest.mark.parametrize(
    "precision", [0, -0.0, 1e-200, 1e200, "0.1", [], float("nan"), float("inf"), None, True]
)
def test_a_precision_that_is_none_is_refused_or_counts(precision) -> None:
    pub = [json.loads(sampler((QuantumCircuit(2),)))["params"]["pubs"][0][0], "ZZ", None, precision]
    body = json.dumps({"program_id": "estimator", "backend": "b", "params": {"pubs": [pub]}}).encode()
    assert refusals(body) in (["payload.malformed"], [None])


def test_a_gate_with_billions_of_controls_takes_no_memory() -> None:
    circuit = QuantumCircuit(3)
    inner = QuantumCircuit(2, name="mine")
    inner.h(0)
    circuit.append(inner.to_gate().control(1), [0, 1, 2])
    data = written(circuit)
    head = struct.Struct("!H1cII?QIIQ")  # CUSTOM_INST_DEF_V2; its fourth field is how many controls
    honest = [
        at for at in range(len(data) - head.size) if head.unpack_from(data, at)[1:5] == (b"c", 3, 0, True)
    ]
    assert honest
    changed = bytearray(data)
    for at in honest:
        struct.pack_into("!I", changed, at + head.size - 16, 0xFFFFFFFF)
    tracemalloc.start()
    try:
        with contextlib.suppress(Invalid):
            circuits.walk(bytes(changed), 10_000, listed=True)
        assert tracemalloc.get_traced_memory()[1] < 16 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_a_second_circuit_behind_the_first_is_refused() -> None:
    file = io.BytesIO()
    qpy.dump([QuantumCircuit(1), QuantumCircuit(100)], file, version=17)
    assert (
        refusals(job(file.getvalue()), job(written(QuantumCircuit(1)) + b"more")) == ["payload.malformed"] * 2
    )


def test_a_table_that_points_elsewhere_is_refused() -> None:
    data = bytearray(written(QuantumCircuit(1)))
    struct.pack_into("!Q", data, 20, struct.unpack_from("!Q", data, 20)[0] + 1)
    assert refusals(job(bytes(data))) == ["payload.malformed"]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"a":' * 200 + "1" + "}" * 200])
def test_nesting_is_bounded(text) -> None:
    assert refusals(text.encode())[0] in ("payload.too_costly", "payload.malformed")


def _with(data: bytes, at: int, form: str, value: int) -> bytes:
    out = bytearray(data)
    struct.pack_into(form, out, at, value)
    return bytes(out)


def test_claims_of_size_are_not_believed() -> None:
    data = written(QuantumCircuit(1))
    start = struct.unpack_from("!Q", data, 20)[0]  # of the circuit's header
    bodies = [
        job(_with(data, start + 5, "!I", 4_000_000_000)),  # qubits
        job(_with(data, start + 9, "!I", 4_000_000_000)),  # classical bits
        job(_with(data, start + 25, "!Q", 1 << 60)),  # instructions
        job(_with(data, start + 21, "!I", 4_000_000_000)),  # registers
        job(_with(data, start + 13, "!Q", 1 << 62)),  # metadata
        job(_with(data, 10, "!Q", 1 << 62)),  # circuits
    ]
    assert None not in refusals(*bodies)


def test_a_vector_of_endless_length_is_refused() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(ParameterVector("v", 3)[1], 0)
    data = written(circuit)
    at = data.index(struct.pack("!HQ", 1, 3)) + 2
    assert refusals(job(_with(data, at, "!Q", 1 << 60))) == ["payload.too_costly"]


def test_a_loop_of_endless_length_ends_in_time() -> None:
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(10**12)):
        circuit.x(0)
    assert refusals(job(written(circuit))) == ["payload.too_costly"]


def test_nothing_that_is_no_operation_is_called() -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    data = written(circuit)
    at = data.index(b"HGate")
    for name in (b"efficient_su2", b"QuantumCircuit", b"os", b"__import__", b"PhaseOracleGate", b"Operation"):
        evil = _with(data, at - 33, "!H", len(name)).replace(b"HGate", name)
        assert refusals(job(evil)) == ["payload.unsupported"], name


class _Touch:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


def test_a_pickle_in_an_array_is_not_opened(tmp_path) -> None:
    touched = tmp_path / "touched"
    evil = io.BytesIO()
    circuit = QuantumCircuit(1)
    circuit.unitary([[0, 1], [1, 0]], [0])
    np.save(evil, np.array([_Touch(touched)], dtype=object), allow_pickle=True)
    data = written(circuit)
    at = data.index(b"\x93NUMPY")
    end = at + struct.unpack_from("!Q", data, at - 8)[0]
    swapped = _with(data, at - 8, "!Q", len(evil.getvalue()))[:at] + evil.getvalue() + data[end:]
    assert refusals(job(swapped)) == ["payload.malformed"]
    raw = _with(data, at - 8, "!Q", len(pickle.dumps(_Touch(touched))))[:at] + pickle.dumps(_Touch(touched))
    assert refusals(job(raw + data[end:])) == ["payload.malformed"]
    assert not touched.exists()


@pytest.mark.parametrize("version", [10, 11, 12, 19, 255])
def test_other_versions_are_refused(version) -> None:
    data = bytearray(written(QuantumCircuit(1)))
    data[6] = version
    assert refusals(job(bytes(data))) == ["payload.unsupported"]


def test_broken_circuits_are_refused_or_read_and_nothing_else() -> None:
    chance = random.Random(7)
    circuit = QuantumCircuit(3, 2, name=CANARY, metadata={"a": CANARY})
    circuit.rx(Parameter("a") * 2, 0)
    circuit.append(QuantumCircuit(2, name="part").to_gate(), [0, 1])
    with circuit.if_test((circuit.clbits[0], 1)):
        circuit.x(0)
    circuit.unitary([[0, 1], [1, 0]], [0])
    whole = written(circuit)
    bodies = []
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.choice((0, 1, 255, chance.randrange(256)))
        if chance.random() < 0.2:
            del data[chance.randrange(len(data)) :]
        bodies.append(job(bytes(data)))
    codes = refusals(*bodies)
    assert {code for code in codes if code} <= {
        f"payload.{name}" for name in ("malformed", "unsupported", "too_costly")
    }
    assert codes.count(None) < len(codes)


def test_a_worker_that_is_killed_takes_nothing_down() -> None:
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(1_500_000)):  # takes a second or more to hash
        circuit.x(0)
    slow = job(written(circuit))

    async def run() -> None:
        workers = Workers(most=2, limits=SLOW)
        try:
            await workers.warm()
            hanging = asyncio.ensure_future(refusal(workers, slow, CANARY))
            killed = set()
            while len(killed) < 2 and not hanging.done():  # it is tried once more
                await asyncio.sleep(0.2)
                for worker in workers._all - killed:
                    if worker.is_running() and worker not in workers._idle:
                        os.kill(worker._process.pid, signal.SIGKILL)
                        killed.add(worker)
            assert await hanging in ("payload.too_costly", "payload.no_worker")
            assert (
                await asyncio.gather(*[refusal(workers, honest(), CANARY) for _ in range(10)]) == [None] * 10
            )
        finally:
            await workers.close()

    asyncio.run(run())
