"""Redaction in real kernels of the ipykernel and IPython releases that are supported, oldest and newest.

Each pair gets a small environment of its own below ``.cache/kernels``, kept from run to run and made by uv
from the package registry or from its cache. Two parts of ipykernel that redaction hangs on are private: this
is where a release that changes them shows.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from qsec_kernels import Kernel, Peer, printed
from qsec_peer import VALUE
from qsec_routes import MARK, ROUTES, SAMPLE, SETUP, everything, leaks, v_pieces_absent

ROOT = Path(__file__).parents[2]
PAIRS = [(kernel, shell) for kernel in ("6.29.*", "7.*") for shell in ("8.*", "9.*")]


@pytest.fixture(scope="module", params=PAIRS, ids=lambda pair: f"ipykernel {pair[0]}, IPython {pair[1]}")
def python(request):
    """The interpreter of an environment with one pair of releases."""
    kernel, shell = request.param
    own = f"py{sys.version_info[0]}.{sys.version_info[1]}-ipykernel{kernel}-ipython{shell}".replace(".*", "")
    folder = ROOT / ".cache" / "kernels" / own
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        pytest.fail("uv is needed to make the environments: pip install uv")
    env = {"UV_CACHE_DIR": str(ROOT / ".cache" / "uv"), **os.environ}
    interpreter = folder / "bin" / "python"
    wanted = [f"ipykernel=={kernel}", f"ipython=={shell}", "jupyter-client>=8"]
    if not interpreter.exists():
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], check=True, env=env)
    install = [uv, "pip", "install", "--quiet", "--python", str(interpreter), *wanted]
    subprocess.run(install, check=True, env=env, timeout=100)
    return str(interpreter)


@pytest.fixture(scope="module")
def kernel(python, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        with Peer() as peer, Kernel(peer, tmp_path_factory.mktemp("kernel"), python=python) as started:
            started.run(SETUP)
            yield started


def test_no_route_lets_a_known_value_out(kernel):
    for route, code in ROUTES.items():
        shown = everything(kernel.run(code))
        assert not leaks(shown), route
        assert v_pieces_absent(shown), route
    assert MARK in kernel.text("print(v)")


def test_replies_and_comms_are_masked(kernel):
    shown = [kernel.reply(kernel.client.inspect("v", detail_level=1))]
    shown += kernel.run("1", user_expressions={"a": "v"})
    kernel.run("table = {v: 1}")
    shown.append(kernel.reply(kernel.client.complete("table['", 7)))
    shown.append(kernel.reply(kernel.client.history(raw=True, hist_access_type="tail", n=50)))
    shown += kernel.run(
        "from comm import create_comm\n"
        "c = create_comm(target_name='t', data={'k': v}, buffers=[v.encode()])\n"
        "c.send({'k': [v]}, buffers=[v.encode()])"
    )
    assert not leaks(everything(shown))


def test_the_log_holds_no_value(kernel):
    kernel.run("os.write(1, v.encode()); subprocess.run(['echo', v], stdout=sys.stdout); time.sleep(.3)")
    text = kernel.log.read_text()
    assert MARK in text
    assert not leaks(text)


def test_what_is_held_back_is_shown_before_idle(kernel):
    for text in ("s", "sk-Q7", VALUE[:-1]):
        assert printed(kernel.run(f"print({text!r}, end='')")) == text


def test_every_hook_is_in_place(kernel):
    shown = kernel.text("print(qsec.status())")
    assert "OFF" not in shown
    assert shown.count("Redaction of") == 7


def test_without_known_values_output_is_a_bare_kernels(kernel, python, tmp_path):
    def essence(started):
        messages = started.run(SAMPLE)
        texts = {name: printed(messages, name) for name in ("stdout", "stderr")}
        return texts, [(m["msg_type"], m["content"].get("data")) for m in messages if "data" in m["content"]]

    with Kernel(None, tmp_path, python=python) as bare:
        assert essence(kernel) == essence(bare)
