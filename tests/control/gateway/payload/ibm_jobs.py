"""Jobs as qiskit-ibm-runtime writes them, made with its own REST adapter and encoder; nothing is sent."""

import json
from dataclasses import asdict

from qiskit_ibm_runtime import RuntimeDecoder
from qiskit_ibm_runtime.api.rest.runtime import Runtime

KEY = b"k" * 32


class _Post:
    def post(self, url, data=None, timeout=None, headers=None):
        self.data = data
        return self

    def json(self):
        return {"id": "none"}


def job(program, inputs, backend="ibm_lab", **options) -> bytes:
    """Return the body that the client posts."""
    session = _Post()
    Runtime(session).program_run(program, backend, inputs, **options)
    return session.data.encode()


def sampler(*pubs, options=None, **more) -> bytes:
    """Return a sampler's job."""
    from qiskit.primitives.containers.sampler_pub import SamplerPub

    coerced = [SamplerPub.coerce(pub) for pub in pubs]
    return job("sampler", {"pubs": coerced, "options": options or {}, "version": 2}, **more)


def estimator(*pubs, options=None, **more) -> bytes:
    """Return an estimator's job."""
    from qiskit.primitives.containers.estimator_pub import EstimatorPub

    coerced = [EstimatorPub.coerce(pub) for pub in pubs]
    return job("estimator", {"pubs": coerced, "options": options or {}, "version": 2}, **more)


def executor(program, **more) -> bytes:
    """Return an executor's job."""
    from qiskit_ibm_runtime.options_models import ExecutorOptions
    from qiskit_ibm_runtime.quantum_program.params_converters import QUANTUM_PROGRAM_PARAMS_CONVERTERS

    encode = QUANTUM_PROGRAM_PARAMS_CONVERTERS["v2.0"].encoder
    return job("executor", encode(program, ExecutorOptions()).model_dump(mode="json"), **more)


def told(body: bytes):
    """Return what the provider decodes."""
    return json.loads(body.decode(), cls=RuntimeDecoder)


def circuits(body: bytes) -> list:
    """Return the circuits of a primitive's job as the provider decodes them."""
    return [pub[0] for pub in told(body)["params"]["pubs"]]


def fields(submission) -> list[dict]:
    """Return what is shown of a submission."""
    return [asdict(field) for field in submission.fields]
