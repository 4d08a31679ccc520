import concurrent.futures
import copy
import hashlib
import inspect
import pickle
import threading
import types
import warnings

import pytest
from qsec_peer import wait_until

qiskit = pytest.importorskip("qiskit")
pytest.importorskip("qiskit_aer")
describe = pytest.importorskip("qsec_jupyter.provenance.circuit")

from qiskit import QuantumCircuit  # noqa: E402
from qiskit.circuit import Parameter  # noqa: E402
from qiskit.primitives import (  # noqa: E402
    BackendEstimatorV2,
    BackendSamplerV2,
    BaseSamplerV2,
    StatevectorEstimator,
    StatevectorSampler,
)
from qiskit.providers import BackendV2  # noqa: E402
from qiskit.providers.basic_provider import BasicSimulator  # noqa: E402
from qiskit.providers.fake_provider import GenericBackendV2  # noqa: E402
from qiskit.quantum_info import SparsePauliOp  # noqa: E402
from qiskit_aer import AerSimulator  # noqa: E402
from qiskit_aer.primitives import (  # noqa: E402
    EstimatorV2 as AerEstimatorV2,
    SamplerV2 as AerSamplerV2,
)

from qsec_jupyter.kernel import capture, execution  # noqa: E402

pytestmark = pytest.mark.usefixtures("recording")


def bell(measured=True):
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    if measured:
        circuit.measure_all()
    return circuit


def rotated():
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("t"), 0)
    circuit.measure_all()
    return circuit


def on(backend):
    return backend.run(qiskit.transpile(bell(), backend), shots=10)


Z = SparsePauliOp("ZZ")


class MyBackend(AerSimulator):
    def run(self, circuits, **options):
        return super().run(circuits, **options)


class Louder:
    def run(self, *args, **options):
        return super().run(*args, **options)


class Mixed(Louder, AerSimulator):
    pass


class MySampler(BaseSamplerV2):
    def run(self, pubs, *, shots=None):
        return StatevectorSampler().run(pubs, shots=shots)


def first_version():
    from qiskit_aer.primitives import Sampler

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Sampler().run([bell()], shots=10)


def runtime():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("qiskit_ibm_runtime")


CASES = {
    "aer": lambda: AerSimulator().run(bell(), shots=10),
    "aer, many circuits": lambda: AerSimulator().run([bell(), bell()], shots=10),
    "aer, by keyword": lambda: AerSimulator().run(circuits=bell(), shots=10),
    "aer from a backend": lambda: on(AerSimulator.from_backend(GenericBackendV2(3, seed=1))),
    "basic simulator": lambda: on(BasicSimulator()),
    "generic backend": lambda: on(GenericBackendV2(2, seed=1)),
    "the user's subclass": lambda: MyBackend().run(bell(), shots=10),
    "a mixin's run": lambda: Mixed().run(bell(), shots=10),
    "unbound call": lambda: AerSimulator.run(AerSimulator(), bell(), shots=10),
    "statevector sampler": lambda: StatevectorSampler().run([bell()], shots=10),
    "statevector sampler, iterator": lambda: StatevectorSampler().run(iter([bell()])),
    "statevector sampler, pub with values": lambda: StatevectorSampler().run(
        [(rotated(), [[0.1], [0.2]], 20)]
    ),
    "statevector estimator": lambda: StatevectorEstimator().run([(bell(False), Z)]),
    "backend sampler": lambda: BackendSamplerV2(backend=AerSimulator()).run([bell()], shots=10),
    "backend estimator": lambda: BackendEstimatorV2(backend=AerSimulator()).run([(bell(False), Z)]),
    "aer sampler": lambda: AerSamplerV2().run([bell()], shots=10),
    "aer estimator": lambda: AerEstimatorV2().run([(bell(False), Z)]),
    "aer sampler, first version": first_version,
    "runtime sampler, local": lambda: runtime().SamplerV2(mode=AerSimulator()).run([bell()], shots=10),
    "runtime estimator, local": lambda: runtime().EstimatorV2(mode=AerSimulator()).run([(bell(False), Z)]),
    "the user's sampler": lambda: MySampler().run([bell()], shots=10),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of qiskit's own older interfaces
@pytest.mark.parametrize("case", CASES)
def test_each_way_to_run_gives_one_intent_and_one_completion(case, peer):
    CASES[case]().result()
    records = peer.wait_for_records(2)
    execution.recorder.flush(2)
    records = list(peer.records)
    assert [r["kind"] for r in records] == ["intent", "completion"]
    assert len({r["run_id"] for r in records}) == 1
    intent, completion = records
    assert completion["status"] == "done"
    assert len(completion["result"]["sha256"]) == 64
    assert intent["backend"]["name"]
    assert len(intent["execution"]["circuits"]) == (2 if "many" in case else 1)
    assert intent["gaps"] == []
    assert completion["gaps"] == []
    assert peer.gaps == []


def test_nested_calls_are_children_of_the_call_that_made_them(peer):
    AerSamplerV2().run([bell()], shots=10).result()
    completion = peer.wait_for_records(2)[1]
    assert completion["operation"] == "qiskit_aer.SamplerV2.run"
    assert [child["operation"] for child in completion["children"]] == ["qiskit_aer.AerSimulator.run"]
    assert completion["children"][0]["shots"] == 10


def test_a_record_says_what_ran_and_where_it_was_asked_for(peer):
    AerSimulator().run(bell(), shots=77, seed_simulator=3, noise_model=None).result()
    intent = peer.wait_for_records(1)[0]
    assert intent["framework"] == "qiskit"
    assert intent["operation"] == "qiskit_aer.AerSimulator.run"
    assert (intent["execution"]["shots"], intent["execution"]["seeds"]) == (77, {"seed_simulator": 3})
    assert intent["source"]["cell_id"] == "cell-7"
    assert intent["source"]["cell_digest"] == hashlib.sha256(b"x = 1").hexdigest()
    assert intent["environment"]["frameworks"]["qiskit"] == qiskit.__version__
    assert intent["backend"]["version"]


def test_an_object_among_the_options_is_named_and_listed_as_a_gap(peer):
    from qiskit_aer.noise import NoiseModel

    AerSimulator().run(bell(), noise_model=NoiseModel()).result()
    intent = peer.wait_for_records(1)[0]
    assert intent["execution"]["options"]["noise_model"] == {"type": "NoiseModel"}
    assert any("noise_model" in gap for gap in intent["gaps"])


def test_equal_seeds_give_equal_result_digests_and_other_results_other_digests(peer):
    for seed in (1, 1, 2):
        AerSimulator().run(bell(), shots=1000, seed_simulator=seed).result()
    digests = [r["result"]["sha256"] for r in peer.wait_for_records(6) if r["kind"] == "completion"]
    assert digests[0] == digests[1] != digests[2]


def test_seeded_results_are_the_same_with_and_without_recording():
    def counts():
        return AerSimulator().run(bell(), shots=500, seed_simulator=11).result().get_counts()

    with_hooks = counts()
    execution.switch(on=False)
    assert counts() == with_hooks


def test_the_users_exception_passes_unchanged_and_is_recorded_by_type(peer):
    with pytest.raises(TypeError) as caught:
        StatevectorSampler().run([bell()], shots=10, nonsense=1)
    assert "nonsense" in str(caught.value)
    completion = peer.wait_for_records(2)[1]
    assert (completion["status"], completion["error_type"]) == ("failed", "TypeError")
    assert "result" not in completion


def test_a_job_that_fails_in_its_thread_is_recorded_as_failed(peer):
    class Broken(StatevectorSampler):
        def _run(self, pubs):
            raise ZeroDivisionError("oops")

    job = Broken().run([bell()])
    with pytest.raises(ZeroDivisionError):
        job.result()
    completion = peer.wait_for_records(2)[1]
    assert (completion["status"], completion["error_type"]) == ("failed", "ZeroDivisionError")


def test_an_iterator_that_raises_raises_the_same_error_to_the_user_once():
    calls = []

    def pubs():
        yield bell()
        calls.append(1)
        raise LookupError("from the generator")

    with pytest.raises(LookupError, match="from the generator"):
        StatevectorSampler().run(pubs())
    assert calls == [1]


def test_a_capture_that_breaks_never_reaches_the_user(peer, monkeypatch):
    def broken(circuit, **_):
        raise RuntimeError("capture is broken")

    monkeypatch.setattr("qsec_jupyter.provenance.circuit.describe", broken)
    assert sum(AerSimulator().run(bell(), shots=10).result().get_counts().values()) == 10
    assert "RuntimeError" in peer.wait_for_records(1)[0]["gaps"][0]


def test_a_dispatcher_part_that_breaks_never_reaches_the_user(peer, monkeypatch):
    monkeypatch.setattr(capture, "source", lambda shell: 1 / 0)
    AerSimulator().run(bell(), shots=10).result()
    assert "ZeroDivisionError" in peer.wait_for_records(1)[0]["gaps"][0]


def test_the_original_is_called_exactly_once_with_its_own_arguments(peer):
    seen = []

    class Counting(BackendV2):
        def __init__(self):
            super().__init__(name="counting")

        target = None
        max_circuits = None

        @classmethod
        def _default_options(cls):
            return qiskit.providers.Options()

        def run(self, run_input, **options):
            seen.append((run_input, options))
            raise RuntimeError("stop here")

    circuit = bell()
    with pytest.raises(RuntimeError, match="stop here"):
        Counting().run(circuit, shots=4)
    assert seen == [(circuit, {"shots": 4})]
    assert seen[0][0] is circuit


def test_signature_docs_and_names_stay():
    assert str(inspect.signature(AerSimulator.run)) == "(self, circuits, parameter_binds=None, **run_options)"
    assert AerSimulator.run.__doc__.startswith("Run circuits on the backend")
    assert AerSimulator.run.__qualname__ == "AerBackend.run"


@pytest.mark.skipif(qiskit.__version__ < "2", reason="a bare job of Qiskit 1 cannot be pickled either")
def test_jobs_and_bound_methods_stay_picklable_and_copyable():
    job = StatevectorSampler().run([bell()], shots=5)
    job.result()
    assert pickle.loads(pickle.dumps(job)).result()[0].data.meas.num_shots == 5
    sampler = StatevectorSampler()
    assert copy.deepcopy(sampler.run).__name__ == "run"
    assert pickle.loads(pickle.dumps(sampler)).run([bell()], shots=3).result()


def test_return_types_stay():
    from qiskit.primitives import PrimitiveJob
    from qiskit_aer.jobs import AerJob

    assert type(AerSimulator().run(bell())) is AerJob
    assert type(StatevectorSampler().run([bell()])) is PrimitiveJob


def test_recording_adds_no_warning():
    def warned():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            AerSimulator().run(bell(), shots=10).result()
        return [str(warning.message) for warning in caught]

    with_hooks = warned()
    execution.switch(on=False)
    try:
        assert with_hooks == warned()
    finally:
        execution.switch(on=True)


def test_switched_off_nothing_is_recorded_and_the_switch_is(peer):
    execution.switch(on=False)
    AerSimulator().run(bell()).result()
    assert any("off" in check.detail for check in execution.checks())
    execution.switch(on=True)
    AerSimulator().run(bell()).result()
    assert len(peer.wait_for_records(2)) == 2
    assert wait_until(lambda: len(peer.gaps) == 2)
    assert "off" in peer.gaps[0]["what"]


def test_a_hundred_runs_from_threads_are_a_hundred_records_with_their_own_children(peer):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: AerSamplerV2().run([bell()], shots=n + 1).result(), range(50)))
    records = peer.wait_for_records(100)
    assert len(records) == 100
    for completion in (r for r in records if r["kind"] == "completion"):
        assert [child["shots"] for child in completion["children"]] == [completion["execution"]["shots"]]


def test_a_control_plane_that_is_down_delays_no_run_and_gets_its_records_later(peer):
    peer.go_down()
    AerSimulator().run(bell(), shots=10).result()
    assert wait_until(lambda: execution.recorder.waiting == 2)
    assert any("not acknowledged" in check.detail for check in execution.checks())
    peer.come_back()
    assert [r["kind"] for r in peer.wait_for_records(2)] == ["intent", "completion"]


def test_a_record_that_is_refused_is_a_gap_and_does_not_hold_up_the_next(peer):
    def refuse_first(args):
        peer.overrides.clear()
        return {
            "results": [
                {"run_id": r["run_id"], "kind": r["kind"], "error": {"kind": "invalid", "code": "x.y"}}
                for r in args["records"]
            ]
        }

    peer.overrides["record"] = refuse_first
    AerSimulator().run(bell(), shots=10).result()
    assert wait_until(lambda: execution.recorder.gaps > 0)
    assert "x.y" in execution.recorder.last_gap
    AerSimulator().run(bell(), shots=10).result()
    assert wait_until(lambda: len({r["run_id"] for r in peer.records}) >= 1)


def test_a_lost_channel_is_a_gap_and_delays_no_run(peer, channel):
    peer.close()
    assert wait_until(lambda: channel.closed)
    AerSimulator().run(bell(), shots=10).result()
    assert execution.recorder.gaps == 2
    assert any(check.name == "Gaps" and not check.ok for check in execution.checks())


def test_too_many_waiting_records_are_gaps_not_memory(peer, monkeypatch):
    from qsec_jupyter.kernel import recorder

    monkeypatch.setattr(recorder, "CAPACITY", 1)
    peer.go_down()
    AerSimulator().run(bell(), shots=10).result()
    assert wait_until(lambda: execution.recorder.gaps == 1)
    assert execution.recorder.waiting == 1


def test_a_removed_hook_shows_in_the_checks():
    hooked = vars(StatevectorSampler)["run"]
    StatevectorSampler.run = hooked.__wrapped__
    try:
        check = execution.checks()[0]
        assert not check.ok
        assert "StatevectorSampler" in check.detail
    finally:
        StatevectorSampler.run = hooked


def test_a_result_that_is_fetched_twice_is_one_completion(peer):
    job = on(BasicSimulator())
    assert job.result() is job.result()
    peer.wait_for_records(2)
    execution.recorder.flush(1)
    assert len(peer.records) == 2


def test_a_job_nobody_fetches_is_never_fetched_by_us(peer):
    fetched = []

    class Remote:
        def result(self):
            fetched.append(1)
            return types.SimpleNamespace(results=[])

    class Cloud(BackendV2):
        target = None
        max_circuits = None

        @classmethod
        def _default_options(cls):
            return qiskit.providers.Options()

        def run(self, run_input, **options):
            return Remote()

    job = Cloud(name="cloud").run(bell())
    execution.recorder.flush(1)
    assert fetched == []
    assert [r["kind"] for r in peer.records] == ["intent"]
    job.result()
    assert [r["kind"] for r in peer.wait_for_records(2)] == ["intent", "completion"]


def test_a_known_value_in_a_name_does_not_leave_the_kernel(peer):
    from qsec_jupyter.core.secret import Secret
    from qsec_jupyter.kernel import redaction

    redaction.known.add("pilot", Secret("hunter2-hunter2-hunter2", "pilot"))
    AerSimulator().run(bell(), shots=10, method="automatic", extra="hunter2-hunter2-hunter2").result()
    text = str(peer.wait_for_records(2))
    assert "hunter2" not in text
    assert "[redacted: pilot]" in text


def test_a_user_thread_starts_runs_of_its_own(peer):
    threads = [threading.Thread(target=lambda: AerSimulator().run(bell()).result()) for _ in range(3)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert len({r["run_id"] for r in peer.wait_for_records(6)}) == 3


def test_the_public_provenance_stays_callable_beside_the_package_of_that_name(channel, peer):
    import qsec_jupyter
    import qsec_jupyter.provenance.circuit as circuit
    from qsec_jupyter.kernel import session

    session.start(session.Session(channel, lambda label, value: None))
    try:
        AerSimulator().run(bell(), shots=10).result()
        card = qsec_jupyter.provenance()
        assert "qiskit_aer.AerSimulator.run" in repr(card)
        assert "user-select:all" in card._repr_html_()
        assert qsec_jupyter.provenance(card.run_id).run_id == card.run_id
        assert callable(circuit.describe)
    finally:
        session.start(None)
