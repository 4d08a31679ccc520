"""Cirq, Braket and PennyLane: one run for each top-level call, results and exceptions untouched."""

import asyncio
import copy
import hashlib
import inspect
import pickle

import pytest

cirq = pytest.importorskip("cirq")
braket = pytest.importorskip("braket.circuits")
qml = pytest.importorskip("pennylane")

import duet  # noqa: E402
import numpy as np  # noqa: E402
from braket.devices import Device, LocalSimulator  # noqa: E402
from braket.tasks import QuantumTask  # noqa: E402

from qsec_jupyter.kernel import capture, evidence, execution  # noqa: E402

pytestmark = pytest.mark.usefixtures("recording")


def settled(peer, runs):
    """Return intents and completions once ``runs`` runs have both, and nothing else was sent."""
    records = peer.wait_for_records(2 * runs)
    assert execution.recorder.flush(2)
    assert len(records) == len(peer.records) == 2 * runs
    intents = [record for record in records if record["kind"] == "intent"]
    completions = [record for record in records if record["kind"] == "completion"]
    assert [r["run_id"] for r in intents] == [r["run_id"] for r in completions]
    return intents, completions


# -- Cirq ---------------------------------------------------------------------------------------


def cirq_bell():
    qubits = cirq.LineQubit.range(2)
    return cirq.Circuit(cirq.H(qubits[0]), cirq.CNOT(*qubits), cirq.measure(*qubits, key="m"))


def cirq_rotated():
    import sympy

    qubit = cirq.LineQubit(0)
    return cirq.Circuit(cirq.rx(sympy.Symbol("t"))(qubit), cirq.measure(qubit, key="m"))


class ByCoroutine(cirq.Sampler):
    """A remote processor's sampler: it defines only the coroutine."""

    async def run_sweep_async(self, program, params, repetitions=1):
        await duet.sleep(0)
        return cirq.Simulator(seed=1).run_sweep(program, params, repetitions)


CIRQ = {
    "run": lambda: cirq.Simulator().run(cirq_bell(), repetitions=10),
    "run_sweep": lambda: cirq.Simulator().run_sweep(cirq_rotated(), [{"t": 0.1}, {"t": 0.2}], 10),
    "sweep of a generator": lambda: cirq.Simulator().run_sweep(
        cirq_rotated(), ({"t": t} for t in (0.1, 0.2)), 10
    ),
    "sample": lambda: cirq.DensityMatrixSimulator().sample(cirq_bell(), repetitions=10),
    "zeros": lambda: cirq.ZerosSampler().run(cirq_bell(), repetitions=10),
    "asynchronously": lambda: duet.run(cirq.Simulator().run_async, cirq_bell(), repetitions=10),
    "by coroutine": lambda: ByCoroutine().run(cirq_bell(), repetitions=10),
    "by coroutine, awaited": lambda: asyncio.run(_awaited()),
}


async def _awaited():
    return await ByCoroutine2().run_sweep_async(cirq_bell(), None, 10)


class ByCoroutine2(cirq.Sampler):
    async def run_sweep_async(self, program, params, repetitions=1):
        await asyncio.sleep(0)
        return cirq.Simulator(seed=1).run_sweep(program, params, repetitions)


@pytest.mark.parametrize("case", CIRQ)
def test_cirq_call_is_one_run(peer, case) -> None:
    CIRQ[case]()
    (intent,), (completion,) = settled(peer, 1)
    assert intent["framework"] == "cirq"
    assert intent["execution"]["shots"] == 10
    (program,) = intent["execution"]["circuits"]
    assert len(program["program"]["sha256"]) == 64
    assert program["width"] in (1, 2)
    assert completion["status"] == "done"
    assert len(completion["result"]["sha256"]) == 64


def test_cirq_batch_is_one_run_for_each_program(peer) -> None:
    cirq.Simulator().run_batch([cirq_bell(), cirq_rotated()], [None, {"t": 0.1}], repetitions=10)
    intents, _ = settled(peer, 2)
    assert len({intent["execution"]["circuits"][0]["program"]["sha256"] for intent in intents}) == 2


def test_coroutines_side_by_side_are_runs_of_their_own_and_leave_nothing_behind(peer) -> None:
    async def both():
        await duet.pmap_async(
            lambda circuit: ByCoroutine().run_sweep_async(circuit, None, 10), [cirq_bell(), cirq_bell()]
        )

    duet.run(both)
    assert execution.running.get() is None
    _, completions = settled(peer, 2)
    assert [len(completion["children"]) for completion in completions] == [1, 1]


def test_coroutine_that_raises_is_a_failed_run_and_raises(peer) -> None:
    class Broken(cirq.Sampler):
        async def run_sweep_async(self, program, params, repetitions=1):
            await asyncio.sleep(0)
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        asyncio.run(Broken().run_sweep_async(cirq_bell(), None, 1))
    _, (completion,) = settled(peer, 1)
    assert (completion["status"], completion["error_type"]) == ("failed", "RuntimeError")


def test_cancelled_coroutine_is_a_failed_run(peer) -> None:
    class Slow(cirq.Sampler):
        async def run_sweep_async(self, program, params, repetitions=1):
            await asyncio.sleep(60)

    async def cancelled():
        task = asyncio.ensure_future(Slow().run_sweep_async(cirq_bell(), None, 1))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    _, (completion,) = settled(peer, 1)
    assert completion["error_type"] == "CancelledError"


def test_sampler_that_defines_neither_method_is_still_refused_by_cirq() -> None:
    class Nothing(cirq.Sampler):
        pass

    with pytest.raises(TypeError, match="abstract"):
        Nothing()


def test_seeded_cirq_results_are_the_same_without_us(peer) -> None:
    with_us = cirq.Simulator(seed=7).run(cirq_bell(), repetitions=50)
    execution.switch(on=False)
    assert cirq.Simulator(seed=7).run(cirq_bell(), repetitions=50) == with_us


def test_coroutine_function_stays_one() -> None:
    assert inspect.iscoroutinefunction(ByCoroutine.run_sweep_async)


# -- Braket -------------------------------------------------------------------------------------


def braket_bell():
    return braket.Circuit().h(0).cnot(0, 1)


class RemoteTask(QuantumTask):
    """A task as a service gives it: its result is somewhere else until it is asked for."""

    reads = 0

    @property
    def id(self):
        return "arn:aws:braket:::task/1"

    def cancel(self):
        pass

    def state(self):
        return "COMPLETED"

    def result(self):
        self.reads += 1
        return LocalSimulator().run(braket_bell(), shots=10).result() if self.reads < 3 else None

    def async_result(self):
        raise NotImplementedError


class RemoteDevice(Device):
    def __init__(self):
        super().__init__("remote", "ONLINE")

    def run(self, task_specification, shots=None, *args, **options):
        return RemoteTask()

    def run_batch(self, task_specifications, shots=None, max_parallel=None, *args, **options):
        return [self.run(task, shots) for task in task_specifications]

    @property
    def properties(self):
        raise NotImplementedError


def test_braket_task_is_one_run_with_its_openqasm(peer) -> None:
    task = LocalSimulator().run(braket_bell(), shots=10)
    (intent,), (completion,) = settled(peer, 1)
    assert intent["operation"] == "braket.LocalSimulator.run"
    assert intent["backend"]["name"] == "StateVectorSimulator"
    assert intent["execution"]["shots"] == 10
    assert intent["execution"]["circuits"][0]["width"] == 2
    assert completion["status"] == "done"
    assert task.result().measurement_counts.total() == 10


def test_braket_inputs_are_named_by_their_digest(peer) -> None:
    circuit = braket.Circuit().rx(0, braket.FreeParameter("t"))
    for value in (0.1, 0.2):
        LocalSimulator().run(circuit, shots=10, inputs={"t": value})
    intents, _ = settled(peer, 2)
    first, second = (intent["execution"] for intent in intents)
    assert first["circuits"] == second["circuits"]
    assert first["parameters"] != second["parameters"]


def test_braket_batch_is_one_run(peer) -> None:
    batch = LocalSimulator().run_batch([braket_bell(), braket_bell()], shots=10)
    (intent,), (completion,) = settled(peer, 1)
    assert len(intent["execution"]["circuits"]) == 2
    assert completion["status"] == "done"
    assert len(batch.results()) == 2


def test_remote_braket_result_is_recorded_when_its_owner_reads_it_and_never_before(peer) -> None:
    task = RemoteDevice().run(braket_bell(), 10)
    assert [record["kind"] for record in peer.wait_for_records(1)] == ["intent"]
    assert task.reads == 0
    task.result()
    kinds = [(r["kind"], r["operation"]) for r in peer.wait_for_records(4)]
    assert kinds.count(("completion", "test_kernel_frameworks.RemoteDevice.run")) == 1
    assert task.reads == 1
    task.result()
    assert task.reads == 2


def test_failed_remote_braket_task_is_a_failed_run(peer) -> None:
    task = RemoteDevice().run(braket_bell(), 10)
    task.reads = 2
    assert task.result() is None
    _, (completion,) = settled(peer, 1)
    assert completion["status"] == "failed"


def test_braket_error_is_a_failed_run_and_raises(peer) -> None:
    with pytest.raises(ValueError, match="shots"):
        LocalSimulator().run(braket_bell().probability(), shots=-1)
    _, (completion,) = settled(peer, 1)
    assert completion["status"] == "failed"


def test_braket_device_and_task_stay_picklable(peer) -> None:
    task = LocalSimulator().run(braket_bell(), shots=10)
    assert copy.deepcopy(task).result().measurement_counts == task.result().measurement_counts
    assert pickle.loads(pickle.dumps(RemoteTask())).id == RemoteTask().id


# -- PennyLane ----------------------------------------------------------------------------------


def qnode(device, **options):
    @qml.qnode(device, **options)
    def circuit(x):
        qml.RX(x, 0)
        qml.CNOT([0, 1])
        return qml.expval(qml.Z(1))

    return circuit


DEVICES = ("default.qubit", "default.mixed", "lightning.qubit", "reference.qubit")


@pytest.mark.parametrize("name", DEVICES)
def test_qnode_is_one_run(peer, name) -> None:
    value = qnode(qml.device(name, wires=2))(0.3)
    assert value == pytest.approx(np.cos(0.3))
    (intent,), (completion,) = settled(peer, 1)
    assert intent["framework"] == "pennylane"
    assert intent["backend"]["name"] == name
    assert intent["execution"]["circuits"][0]["width"] == 2
    assert completion["status"] == "done"


def test_shots_and_parameter_values_are_told_apart(peer) -> None:
    circuit = qnode(qml.device("default.qubit", wires=2, seed=1))
    for x in (0.1, 0.2):
        qml.set_shots(circuit, 10)(x)
    intents, _ = settled(peer, 2)
    assert [intent["execution"]["shots"] for intent in intents] == [10, 10]
    assert len({intent["execution"]["circuits"][0]["program"]["sha256"] for intent in intents}) == 2


def test_gradient_by_the_device_is_recorded(peer) -> None:
    circuit = qnode(qml.device("lightning.qubit", wires=2), diff_method="adjoint")
    x = qml.numpy.array(0.3, requires_grad=True)
    assert float(qml.grad(circuit)(x)) == pytest.approx(-np.sin(0.3))
    records = peer.wait_for_records(2)
    assert execution.recorder.flush(2)
    assert len(records) == len(peer.records) == 2
    assert records[0]["operation"].startswith("pennylane_lightning.LightningQubit.execute")


def test_device_of_the_first_interface_is_recorded_once(peer) -> None:
    class Old(qml.devices.QubitDevice):
        name, short_name, version, author = "old", "old.qubit", "1", "me"
        pennylane_requires = ">=0"
        operations, observables = {"RX", "CNOT"}, {"PauliZ"}

        def apply(self, operations, **_):
            pass

        def analytic_probability(self, wires=None):
            return np.array([1.0, 0.0])

    qnode(qml.devices.LegacyDeviceFacade(Old(wires=2)))(0.3)
    (intent,), _ = settled(peer, 1)
    assert intent["backend"]["name"] == "old.qubit"
    assert intent["backend"]["type"].endswith("Old")


def test_pennylane_error_is_a_failed_run_and_raises(peer) -> None:
    device = qml.device("default.qubit", wires=1)
    tape = qml.tape.QuantumScript([qml.RX("no number", 0)], [qml.expval(qml.Z(0))])
    with pytest.raises(Exception, match=r".") as caught:
        device.execute(tape)
    _, (completion,) = settled(peer, 1)
    assert completion["error_type"] == type(caught.value).__name__


def test_seeded_pennylane_samples_are_the_same_without_us(peer) -> None:
    def sampled():
        return qml.set_shots(qnode(qml.device("default.qubit", wires=2, seed=5)), 100)(1.0)

    with_us = sampled()
    execution.switch(on=False)
    assert sampled() == with_us


# -- all three ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cls", "method"),
    [
        (cirq.SimulatesSamples, "run_sweep"),
        (LocalSimulator, "run"),
        (LocalSimulator, "run_batch"),
        (qml.devices.DefaultQubit, "execute"),
    ],
)
def test_signature_and_documentation_stay(cls, method) -> None:
    hooked = getattr(cls, method)
    assert inspect.signature(hooked) == inspect.signature(hooked.__wrapped__)
    assert hooked.__doc__ == hooked.__wrapped__.__doc__
    assert hooked.__name__ == method


def test_removed_hook_is_seen() -> None:
    original = cirq.SimulatesSamples.run_sweep
    try:
        cirq.SimulatesSamples.run_sweep = original.__wrapped__
        (check, *_) = execution.checks()
        assert not check.ok
        assert "SimulatesSamples" in check.detail
    finally:
        cirq.SimulatesSamples.run_sweep = original


def test_record_that_cannot_be_made_does_not_break_the_run(peer, monkeypatch) -> None:
    def fail(*_):
        raise RuntimeError("ours")

    monkeypatch.setattr(capture, "source", fail)
    assert cirq.Simulator().run(cirq_bell(), repetitions=3).repetitions == 3
    (intent,), _ = settled(peer, 1)
    assert any("could be described" in gap for gap in intent["gaps"])


def test_program_is_kept_as_evidence_under_its_digest(peer, channel, monkeypatch) -> None:
    kept = {}
    monkeypatch.setattr(evidence, "offer", lambda sha256, media_type, data: kept.update({sha256: data}))
    cirq.Simulator().run(cirq_bell(), repetitions=3)
    tape = qml.tape.QuantumScript([qml.QubitUnitary(np.eye(2), 0)], [qml.expval(qml.Z(0))])
    qml.device("default.qubit").execute(tape)
    LocalSimulator().run(braket_bell(), shots=10)
    intents, _ = settled(peer, 3)
    names = [intent["execution"]["circuits"][0]["program"]["sha256"] for intent in intents]
    assert [hashlib.sha256(kept[name]).hexdigest() for name in names] == names
    assert cirq.read_json(json_text=kept[names[0]].decode()) == cirq_bell()
    assert b"[1.0" in kept[names[1]] or b'"1.0"' in kept[names[1]]
    assert kept[names[2]].startswith(b"OPENQASM 3")
