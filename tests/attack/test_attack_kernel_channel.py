"""Claim: a secret reaches the kernel over its own socket alone, not by environment, disk or command line.

Linux shows a process's first environment in /proc; the descriptor's NUMBER stays readable there and is
worthless without the descriptor.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent.parent / part) for part in ("integration", "kernel")]

from qsec_kernels import Kernel, Peer  # noqa: E402
from qsec_peer import VALUE  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kernel")


@pytest.fixture(scope="module")
def kernel(folder):
    with Peer() as peer, Kernel(peer, folder) as started:
        started.run(
            "import qsec_jupyter as qsec; qsec.request('sandbox', reason='t')\n"
            "c = qsec.credential('sandbox'); print(c.reveal())"
        )
        started.run("import os, sys, subprocess")
        yield started


def pid(kernel):
    return int(kernel.text("print(os.getpid())"))


def test_neither_first_environment_nor_command_line_holds_a_value(kernel):
    process = Path(f"/proc/{pid(kernel)}")
    if not process.exists():
        pytest.skip("no /proc here")
    assert VALUE.encode() not in (process / "environ").read_bytes() + (process / "cmdline").read_bytes()


def test_no_file_of_the_kernel_holds_the_value(kernel, folder):
    kernel.run("get_ipython().history_manager.writeout_cache()")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if VALUE.encode() in path.read_bytes()]


def test_the_number_that_stays_readable_gives_another_process_nothing(kernel):
    number = Path(f"/proc/{pid(kernel)}/environ").read_bytes().split(b"QSEC_CHANNEL_FD=")[1].split(b"\0")[0]
    code = f"import socket\ntry: socket.socket(fileno={int(number)}); print('got it')\nexcept OSError: print('nothing')"  # noqa: E501
    assert (
        kernel.text(f"subprocess.run([sys.executable, '-c', {code!r}], close_fds=False);").strip()
        == "nothing"
    )


def test_a_child_that_claims_the_number_gets_no_channel(kernel):
    code = (
        "import os; os.environ['QSEC_CHANNEL_FD'] = '99'\n"
        "from qsec_jupyter.kernel.channel import Channel; print(Channel.from_environment())"
    )
    assert kernel.text(f"subprocess.run([sys.executable, '-c', {code!r}]);").strip() == "None"


def test_a_forked_child_does_not_talk_on_the_parents_socket(kernel):
    shown = kernel.text(
        "child = os.fork()\nif child == 0:\n"
        "    try: qsec.request('pilot', reason='from a child', wait=False)\n"
        "    except qsec.kernel.channel.QsecError as e: os.write(1, e.code.encode())\n"
        "    os._exit(0)\nos.waitpid(child, 0); import time; time.sleep(.2)"
    )
    assert shown == "channel.closed"


def test_the_credential_dies_in_the_kernel_when_its_grant_does(tmp_path):
    with Peer() as peer, Kernel(peer, tmp_path) as kernel:
        kernel.run(
            "import qsec_jupyter as qsec; qsec.request('sandbox', reason='t'); c = qsec.credential('sandbox')"
        )
        peer.decide("revoked", "gone")
        messages = kernel.run("import time; time.sleep(.3); c.reveal()")
        error = next(m["content"] for m in messages if m["msg_type"] == "error")
        assert (error["ename"], os.linesep in error["evalue"]) == ("Denied", True)
        assert "grant.revoked" in error["evalue"]
