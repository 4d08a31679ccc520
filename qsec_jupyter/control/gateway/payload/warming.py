"""One job of everything, read before the first real one, so that all that reading takes is loaded."""

from __future__ import annotations

import io
import json
from typing import Any

from . import ibm
from .packing import encode
from .reading import Reading


def warm() -> None:
    """Read a job that uses most of what Qiskit loads when it is first needed."""
    body = json.dumps({"program_id": "sampler", "params": {"pubs": [[_circuit(sample())]]}}).encode()
    hidden = ibm.read(body, Reading(hide=True, key=b"warm"))
    ibm.restore(hidden.body, hidden.names, Reading().limits)


def _circuit(circuit: Any) -> dict[str, str]:
    from qiskit import qpy

    file = io.BytesIO()
    qpy.dump(circuit, file, version=17)
    return {"__type__": "QuantumCircuit", "__value__": encode(file.getvalue(), packed=True)}


def sample() -> Any:
    """Return a circuit with a bit of everything."""
    from qiskit import QuantumCircuit, QuantumRegister
    from qiskit.circuit import Parameter, ParameterVector
    from qiskit.circuit.classical import expr
    from qiskit.circuit.library import PauliEvolutionGate
    from qiskit.quantum_info import SparsePauliOp

    inner = QuantumCircuit(QuantumRegister(2, "inner"), name="part")
    inner.h(0)
    inner.cx(0, 1)
    circuit = QuantumCircuit(QuantumRegister(2, "first"), name="warm", metadata={"a": [1]})
    circuit.add_register(*QuantumCircuit(0, 2).cregs)
    angle, vector = Parameter("angle"), ParameterVector("vector", 2)
    circuit.rx(angle.sin() * 2 + vector[0], 0)
    circuit.append(inner.to_gate(), [0, 1])
    circuit.unitary([[0, 1], [1, 0]], [0])
    circuit.append(PauliEvolutionGate(SparsePauliOp(["XX"]), time=0.5), [0, 1])
    circuit.initialize([1, 0], 0)
    flag = circuit.add_var("flag", expr.lift(False))
    with circuit.if_test(expr.logic_not(flag)):
        circuit.x(0)
    with circuit.for_loop(range(2)):
        circuit.y(1)
    circuit.measure(0, 0)
    return circuit
