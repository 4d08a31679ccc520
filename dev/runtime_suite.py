"""Run the Runtime client's own integration tests against a sandbox.

    python dev/runtime_suite.py CHECKOUT [pytest options]

CHECKOUT is the source distribution of the installed qiskit-ibm-runtime without the package itself; its
tests need ddt, responses and plotly. The client is the installed one and unmodified; only where its default
resolver would look for the provider is said here, as a user says it with ``url_resolver``.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest

HELLO = (
    "--api-key-file",
    "{0}/api-key",
    "--admin-token-file",
    "{0}/admin-token",
    "--set",
    "usage_limit_seconds=1000000",
    "--device",
    "test_eagle_sandbox=brisbane",
)


def main(checkout: str, *options: str) -> int:
    """Start a sandbox, run the suite, return pytest's status."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "qsec_jupyter.cli", "sandbox", "--with-parent"]
        command += [word.format(folder) for word in HELLO]
        sandbox = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            hello = json.loads(sandbox.stdout.readline())
            return _run(Path(checkout), hello, options)
        finally:
            sandbox.stdin.close()
            sandbox.wait(10)


def _run(checkout: Path, hello: dict, options: tuple[str, ...]) -> int:
    os.environ |= {
        "IAM_URL": hello["iam"],
        "GLOBAL_SEARCH_URL": hello["search"],
        "GLOBAL_CATALOG_URL": hello["catalog"],
        "QISKIT_IBM_TOKEN": Path(hello["api_key_file"]).read_text().strip(),
        "QISKIT_IBM_URL": "https://cloud.ibm.com",
        "QISKIT_IBM_INSTANCE": hello["instances"]["sandbox-open"],
        "QISKIT_IBM_QPU": "sandbox_cairo",
        "QISKIT_IBM_TEST_SAMPLER_V2_IMPLEMENTATIONS": "1",
    }
    os.chdir(checkout)
    sys.path.insert(0, str(checkout))
    places = {
        "api.client_parameters.default_runtime_url_resolver": hello["runtime"],
        "accounts.utils.get_iam_api_url": hello["iam"],
        "accounts.utils.get_global_search_api_url": hello["search"],
        "accounts.utils.get_resource_controller_api_url": hello["search"],
    }
    with contextlib.ExitStack() as stack:
        for name, address in places.items():
            stack.enter_context(patch(f"qiskit_ibm_runtime.{name}", lambda *_, to=address: to))
        return pytest.main(["-p", "no:cacheprovider", "--rootdir", ".", *(options or ["test/integration"])])


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
