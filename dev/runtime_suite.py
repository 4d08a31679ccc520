"""Run the Runtime client's own integration tests against a sandbox, or through a gateway that leads to one.

    python dev/runtime_suite.py [--gateway] CHECKOUT [pytest options]

CHECKOUT is the source distribution of the installed qiskit-ibm-runtime without the package itself; its
tests need ddt, responses, plotly and pproxy. The client is the installed one and unmodified; only where its
default resolver would look for the provider is said here, as a user says it with ``url_resolver``.
"""

import contextlib
import os
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from qiskit import QuantumCircuit, transpile
from qiskit_ibm_runtime import QiskitRuntimeService, Sampler

sys.path.append(str(Path(__file__).parent.parent / "tests"))

import gateway_child
import sandbox_server

# The suite looks for devices by these names, for the first mock with a counterpart called ibm_…, and takes
# jobs to wait.
SANDBOX = ("--set", "usage_limit_seconds=1000000", "--set", "queue_seconds=0.5")
SANDBOX += ("--device", "test_eagle_sandbox=brisbane", "--device", "ibm_sandbox=manila")
NO_COUNTERPART = ("mock_manila", "mock_lima", "mock_cairo", "mock_brisbane", "mock_eagle_sandbox")


def main(gateway: bool, checkout: Path, *options: str) -> int:
    """Start what is wanted, run the suite, return pytest's status."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        sandbox = sandbox_server.start(Path(folder), *SANDBOX)
        stack.callback(sandbox.stop)
        for name in NO_COUNTERPART:
            sandbox.admin("PUT", f"devices/{name}", {"online": False})
        where = {name: sandbox.hello[name] for name in ("iam", "search", "catalog", "runtime")}
        token = sandbox.key
        if gateway:
            gate = stack.enter_context(_gate(Path(folder) / "home", sandbox))
            where = {name: f"{gate.address()}/{name}" for name in where}
            token = gate.token()
        return _run(checkout, where, token, sandbox.crn, options)


def _gate(home: Path, sandbox: sandbox_server.RealSandbox) -> gateway_child.Gated:
    entry = gateway_child.entry(sandbox).replace('"mock_*"', '"mock_*", "test_*", "ibm_*"')
    return gateway_child.Gated(home, entry, {"ibm-pilot": sandbox.key})


def _run(checkout: Path, where: dict[str, str], token: str, instance: str, options: tuple[str, ...]) -> int:
    os.environ |= {
        "IAM_URL": where["iam"],
        "GLOBAL_SEARCH_URL": where["search"],
        "GLOBAL_CATALOG_URL": where["catalog"],
        "QISKIT_IBM_TOKEN": token,
        "QISKIT_IBM_URL": "https://cloud.ibm.com",
        "QISKIT_IBM_INSTANCE": instance,
        "QISKIT_IBM_QPU": "sandbox_cairo",
    }
    os.chdir(checkout)
    sys.path.insert(0, str(checkout))
    places = {
        "api.client_parameters.default_runtime_url_resolver": where["runtime"],
        "accounts.utils.get_iam_api_url": where["iam"],
        "accounts.utils.get_global_search_api_url": where["search"],
        "accounts.utils.get_resource_controller_api_url": where["search"],
    }
    with contextlib.ExitStack() as stack:
        for name, address in places.items():
            stack.enter_context(patch(f"qiskit_ibm_runtime.{name}", lambda *_, to=address: to))
        _use(token, os.environ["QISKIT_IBM_QPU"])
        return pytest.main(["-p", "no:cacheprovider", "--rootdir", ".", *(options or ["test/integration"])])


def _use(token: str, backend: str) -> None:
    """Run a dozen jobs in each instance: the suite takes its account to have been used."""
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    found = QiskitRuntimeService(channel="ibm_quantum_platform", token=token, instance="auto").instances()
    for crn in [each["crn"] for each in found]:
        service = QiskitRuntimeService(channel="ibm_quantum_platform", token=token, instance=crn)
        device = service.backend(backend)
        pub = transpile(circuit, device), None, 1
        jobs = [Sampler(mode=device).run([pub]) for _ in range(12)]
        jobs[-1].result()


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if word != "--gateway"]
    if not words:
        sys.exit(__doc__)
    sys.exit(main("--gateway" in sys.argv, Path(words[0]), *words[1:]))
