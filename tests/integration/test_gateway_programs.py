"""Programs, tools and plain HTTP clients through the gateway: the same path as a notebook's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("qiskit_ibm_runtime")

PROGRAM = """
import json, logging, os
logging.disable(logging.WARNING)
import qsec_jupyter as qsec
service = qsec.runtime_service("ibm-pilot")
from qiskit_ibm_runtime import QiskitRuntimeService
assert type(service) is QiskitRuntimeService
left = [name for name, value in os.environ.items() if "127.0.0.1" in value or name == "IAM_URL"]
assert not left, left
held = qsec.credential("ibm-pilot")
backends = [one.name for one in service.backends()]
print(json.dumps({"backends": backends, "public": held.public, "shown": repr(held)}))
print(held.reveal())
"""


def test_program_of_qsec_run_uses_the_unmodified_client(gated, sandbox):
    """Its output is masked like any other; its environment holds neither key nor address."""
    gated.close()  # the program's own control plane takes the same state folder
    environ = {key: value for key, value in os.environ.items() if not key.startswith("VAULT_")}
    # Without a Vault on the PATH it is the sealed store of that folder.
    environ |= {
        "QSEC_HOME": str(gated.home),
        "HOME": str(gated.home),
        "PATH": str(Path(sys.executable).parent),
    }
    command = [sys.executable, "-m", "qsec_jupyter.cli", "run", "--as-me", "--target", "ibm-pilot", "--"]
    command += [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    told, revealed = done.stdout.strip().splitlines()
    told = json.loads(told)
    assert "sandbox_manila" in told["backends"]
    assert told["public"]["gateway"].startswith("http://127.0.0.1:")
    assert told["public"]["scope"] == "submit"
    assert told["shown"] == revealed == "[redacted: ibm-pilot]"
    assert not (gated.home / ".qiskit").exists()
    assert sandbox.key not in done.stdout + done.stderr


def test_plain_bearer_works_for_any_client(gated):
    """A tool's bearer of qsec token asks for a grant and gets a gateway token; that is a plain bearer."""
    wanted = {"scopes": ["submit"], "targets": ["ibm-pilot"], "seconds": 600, "label": "ci"}
    status, tool = gated.child.ask("POST", "/v1/tokens", wanted)
    assert status == 201
    bearer = tool["bearer"]
    assert gated.call("GET", "/backends", bearer).status_code == 401, "it is for the REST edge only"
    status, grant = gated.child.ask(
        "POST", "/v1/grants", {"target": "ibm-pilot", "reason": "ci"}, bearer=bearer
    )
    assert status == 201, grant
    status, issued = gated.child.ask("POST", "/v1/credentials", {"target": "ibm-pilot"}, bearer=bearer)
    assert status == 200, issued
    assert gated.call("GET", "/backends", issued["value"]).status_code == 200
    assert gated.child.ask("POST", f"/v1/tokens/{tool['id']}/revoke", {})[0] == 200
    assert gated.call("GET", "/backends", issued["value"]).status_code == 403
