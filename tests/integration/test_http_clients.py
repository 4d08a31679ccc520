"""The script of `docs/users/http.md`, as it stands there, with the real `curl` and `jq`."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from gateway_bodies import sampler
from gateway_child import entry
from jupyter_process import Jupyter

pytest.importorskip("qiskit_ibm_runtime")
pytestmark = [
    pytest.mark.timeout(240),
    pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="needs curl and jq"),
]

PAGE = Path(__file__).parents[2] / "docs" / "users" / "http.md"


def prepared(folder):
    """Put the page's script and a job where a pipeline would have them."""
    (script,) = re.findall(r"^```bash\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (folder / "bench.sh").write_text(script)
    (folder / "job.json").write_bytes(sampler())


def seen(folder):
    """Return the result that the script left."""
    return json.loads((folder / "result.json").read_text())["__type__"]


def test_the_script_runs_in_a_pipeline_without_a_server(tmp_path, sandbox):
    alone = Jupyter(tmp_path, entry(sandbox), {"ibm-pilot": sandbox.key}, start=False)
    prepared(tmp_path)
    run = ("run", "--as-me", "--target", "ibm-pilot", "--")
    done = alone.qsec(*run, "bash", "bench.sh", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "sandbox_manila" in done.stdout
    assert seen(tmp_path) == "PrimitiveResult"

    job = (tmp_path / "job.id").read_text().strip()
    told = alone.qsec(*run, "qsec", "token", "gateway", "ibm-pilot", "--job", job)
    later = json.loads(told.stdout)
    assert later["scope"] == "retrieve"
    assert later["bearer"] == "[redacted: ibm-pilot]", "what a program prints is masked"


def test_the_script_runs_in_a_terminal_beside_a_server(gated_jupyter):
    prepared(gated_jupyter.folder)
    done = subprocess.run(
        ["bash", "bench.sh"],
        env=gated_jupyter.environ,
        cwd=gated_jupyter.folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert seen(gated_jupyter.folder) == "PrimitiveResult"


def test_a_bearer_is_made_and_ends_with_its_revocation(gated_jupyter):
    made = json.loads(gated_jupyter.told("token", "gateway", "ibm-pilot", "--scope", "metadata"))
    assert set(made) == {"id", "target", "provider", "scope", "url", "bearer", "expires_at"}
    assert made["scope"] == "metadata"

    def status():
        config = f'header = "Authorization: Bearer {made["bearer"]}"\n'
        command = ["curl", "-s", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", "-K", "-"]
        command.append(made["url"] + "/runtime/backends")
        return subprocess.run(command, input=config, capture_output=True, text=True, check=True).stdout

    assert status() == "200"
    assert "is over" in gated_jupyter.told("token", "revoke", made["id"])
    assert status() == "403"
    assert all(made["bearer"].encode() not in file.read_bytes() for file in gated_jupyter.files())


def test_a_refused_bearer_leaves_none_behind(gated_jupyter):
    refused = gated_jupyter.qsec("token", "gateway", "nowhere")
    assert (refused.returncode, refused.stdout) == (4, "")
    assert gated_jupyter.told("token", "list") == ""
