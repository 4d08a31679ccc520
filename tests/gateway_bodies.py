"""Bodies of submissions as the provider's own client makes them."""

import json


def sampler(*, shots=1000, backend="sandbox_manila", mark=0, **more) -> bytes:
    """Return the JSON of a sampler job; another ``mark`` is another circuit."""
    from qiskit import QuantumCircuit
    from qiskit_ibm_runtime.json import RuntimeEncoder

    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    circuit.rz(0.1 * mark, 1)
    circuit.measure([0, 1], [0, 1])
    params = {"pubs": [(circuit, None, shots)], "version": 2, "options": {}, "support_qiskit": True}
    body = {"program_id": "sampler", "backend": backend, "params": params, **more}
    return json.dumps(body, cls=RuntimeEncoder).encode()
