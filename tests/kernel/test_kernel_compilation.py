"""How a circuit was compiled is noted, and compiling stays what it was."""

import inspect
import pickle
import subprocess
import sys
import textwrap

import pytest

qiskit = pytest.importorskip("qiskit")
pytest.importorskip("qiskit_aer")

HOOKED = """
from qsec_jupyter.kernel import extension
extension.watch()
import inspect, pickle, warnings
from qiskit import QuantumCircuit, transpile
from qiskit.transpiler import generate_preset_pass_manager, PassManager
from qiskit.providers.fake_provider import GenericBackendV2
from qsec_jupyter.kernel.frameworks.qiskit import compilation
warnings.simplefilter("error")
bell = QuantumCircuit(2); bell.h(0); bell.cx(0, 1); bell.measure_all()
backend = GenericBackendV2(3, seed=1)
"""


def hooked(code: str) -> str:
    """Run code in a process of its own whose hooks were there before qiskit, as in a kernel."""
    done = subprocess.run(
        [sys.executable, "-c", HOOKED + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_level_seed_and_duration_hang_on_the_compiled_circuit() -> None:
    text = hooked(
        """
        out = transpile(bell, backend, optimization_level=3, seed_transpiler=9)
        told = compilation.of(out)
        assert (told["level"], told["seed"]) == (3, 9) and told["duration"] > 0
        manager = generate_preset_pass_manager(1, backend, seed_transpiler=4)
        told = compilation.of(manager.run(bell))
        assert (told["level"], told["seed"]) == (1, 4)
        several = manager.run([bell, bell])
        assert [compilation.of(c)["level"] for c in several] == [1, 1]
        assert compilation.of(bell) is None
        assert compilation.of(out.copy()) is None
        assert compilation.of(PassManager().run(bell))["level"] is None
        del out, several
        import gc; gc.collect()
        print(len(compilation._compiled))
        """
    )
    assert text == "0"


def test_compiling_is_what_it_was() -> None:
    """Same circuits, signature, docs and errors with the hooks as without them."""
    from qiskit import qasm3
    from qiskit.providers.fake_provider import GenericBackendV2
    from qiskit.transpiler import PassManager, generate_preset_pass_manager

    bell = qiskit.QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    bell.measure_all()
    plain = qasm3.dumps(qiskit.transpile(bell, GenericBackendV2(3, seed=1), seed_transpiler=9))
    told = hooked(
        """
        from qiskit import qasm3
        print(inspect.signature(generate_preset_pass_manager), inspect.signature(PassManager.run), sep="\\n")
        print(len(generate_preset_pass_manager.__doc__), len(PassManager.run.__doc__))
        assert pickle.loads(pickle.dumps(generate_preset_pass_manager)) is generate_preset_pass_manager
        try: generate_preset_pass_manager(7, backend)
        except ValueError as error: print(error)
        print(qasm3.dumps(transpile(bell, backend, seed_transpiler=9)))
        """
    )
    maker, runner = generate_preset_pass_manager, PassManager.run
    expected = [str(inspect.signature(maker)), str(inspect.signature(runner))]
    expected.append(f"{len(maker.__doc__)} {len(runner.__doc__)}")
    assert told.splitlines()[:3] == expected
    assert told.endswith(plain.strip())
    assert pickle.dumps(maker)


def test_function_that_somebody_has_already_is_left_alone() -> None:
    code = """
        import pickle
        from qiskit import QuantumCircuit
        from qiskit.transpiler import generate_preset_pass_manager as mine
        from qsec_jupyter.kernel import extension
        extension.watch()
        from qsec_jupyter.kernel.frameworks.qiskit import compilation
        assert pickle.loads(pickle.dumps(mine)) is mine
        told = compilation.of(mine(1).run(QuantumCircuit(1)))
        assert told["level"] is None and told["duration"] > 0
        """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
