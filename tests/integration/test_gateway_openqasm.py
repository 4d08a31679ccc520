"""OpenQASM over IBM's REST interface: through the gateway, run by the sandbox, with its own names again."""

import json
import time

import pytest

pytest.importorskip("qiskit_ibm_runtime")

import test_sandbox_client
from gateway_child import Gated, entry
from qiskit_ibm_runtime import RuntimeDecoder

pytestmark = test_sandbox_client.pytestmark

SOURCE = """OPENQASM 3.0;
include "stdgates.inc";
input float[64] zangle;
input float[64] aangle;
bit[2] energy;
sx $0; // the caffeine molecule
sx $1;
rz(zangle) $0;
rz(aangle) $1;
sx $0;
sx $1;
energy[0] = measure $0;
energy[1] = measure $1;
"""
NAMES = ("zangle", "aangle", "energy", "caffeine")


@pytest.fixture
def gate(tmp_path, sandbox):
    catalogue = entry(sandbox) + "[targets.ibm-pilot.envelope]\nmax_depth = 20\n"
    with Gated(tmp_path / "home", catalogue, {"ibm-pilot": sandbox.key}) as found:
        yield found


def submit(gate, token, source, *rest):
    params = {"pubs": [[source, *rest]], "version": 2, "options": {}}
    body = {"program_id": "sampler", "backend": "sandbox_manila", "params": params}
    return gate.call("POST", "/jobs", token, json=body)


def finished(gate, token, job):
    for _ in range(300):
        told = gate.call("GET", f"/jobs/{job}", token).json()
        if told["status"] in ("Completed", "Failed", "Cancelled"):
            return told
        time.sleep(0.2)
    raise AssertionError(told)


def test_a_job_in_openqasm_runs_with_names_hidden_and_comes_back_with_them(gate, sandbox) -> None:
    token = gate.token()
    answer = submit(gate, token, SOURCE, {"zangle": 0.0, "aangle": 3.141592653589793}, 200)
    assert answer.status_code == 200, answer.text
    job = answer.json()["id"]
    told = finished(gate, token, job)
    assert told["status"] == "Completed", told["state"]
    seen = json.dumps(next(one for one in sandbox.jobs() if one["id"] == job))
    assert "OPENQASM" in seen
    for name in NAMES:
        assert name not in seen, name
    text = gate.call("GET", f"/jobs/{job}/results", token).text
    counts = json.loads(text, cls=RuntimeDecoder)[0].data.energy.get_counts()
    assert max(counts, key=counts.get) == "01", "the value for zangle turned the first qubit"
    mine = gate.call("GET", f"/jobs/{job}", token).json()["params"]["pubs"][0]
    assert set(mine[1]) == {"zangle", "aangle"}
    assert "rz ( zangle ) $0" in mine[0]


def test_what_is_refused_is_said_in_the_providers_form(gate) -> None:
    token = gate.token()
    said = {
        "OPENQASM 3.0; while (true) { x $0; }": (400, "payload.unsupported"),
        "OPENQASM 3.0; for int i in [0:100] { x $0; }": (403, "envelope.depth"),
        "OPENQASM 3.0; for int i in [0:1000000000] { x $0; }": (400, "payload.too_costly"),
        "OPENQASM 3.0; cal { play(f, w); }": (403, "envelope.pulses"),
    }
    for source, (status, code) in said.items():
        answer = submit(gate, token, source)
        assert answer.status_code == status, answer.text
        error = answer.json()["errors"][0]
        assert error["code"] == code
        assert error["solution"]
