"""Claim: ``%qsec status`` names each guard that somebody took out or put the original back for.

It is all that is claimed: code in the kernel can take them out, and could fool the status as well.
"""

import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent.parent / part) for part in ("integration", "kernel")]

from qsec_kernels import Kernel, Peer  # noqa: E402
from qsec_routes import SETUP  # noqa: E402

KEPT = """
import logging, pydoc, reprlib
from jupyter_client.session import json_packer
ip = get_ipython(); session = ip.kernel.session; history = ip.history_manager
lines = ip.magics_manager.magics["line"]; shortening = pydoc.text._repr_instance
"""
REMOVED = {
    "pack": ("messages", "kept = session.pack; session.pack = json_packer", "session.pack = kept"),
    "sign": ("messages", "kept = session.sign; del session.sign", "session.sign = kept"),
    "send": ("messages", "kept = session.send; del session.send", "session.send = kept"),
    # Without the stream nobody knows what the descriptor below it leads to.
    "stdout": (
        "streams descriptors",
        "kept = sys.stdout; sys.stdout = open(os.devnull, 'w')",
        "sys.stdout = kept",
    ),
    "stderr": ("streams descriptors", "kept = sys.stderr; sys.stderr = sys.__stderr__", "sys.stderr = kept"),
    "descriptor": (
        "descriptors",
        "kept = os.dup(2); other = os.open(os.devnull, os.O_WRONLY); os.dup2(other, 2)",
        "os.dup2(kept, 2); os.close(kept)",
    ),
    "inputs": (
        "history",
        "kept = history.store_inputs; history.store_inputs = kept.__wrapped__",
        "history.store_inputs = kept",
    ),
    "outputs": (
        "history",
        "kept = history.store_output; del history.store_output",
        "history.store_output = kept",
    ),
    "log": ("history", "kept = ip.logger.log_write; del ip.logger.log_write", "ip.logger.log_write = kept"),
    "store": ("%store", "kept = lines['store']; lines['store'] = kept.__wrapped__", "lines['store'] = kept"),
    "store, loaded anew": (
        "%store",
        "kept = lines['store']; ip.run_line_magic('reload_ext', 'storemagic')",
        "lines['store'] = kept",
    ),
    "Verbose": ("tracebacks", "kept = shortening.repr1; del shortening.repr1", "shortening.repr1 = kept"),
    "reprlib": (
        "tracebacks",
        "kept = reprlib.aRepr.repr1; del reprlib.aRepr.repr1",
        "reprlib.aRepr.repr1 = kept",
    ),
    "logging": (
        "logs",
        "kept = logging.Logger.handle; logging.Logger.handle = kept.__wrapped__",
        "logging.Logger.handle = kept",
    ),
}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with Peer() as peer, Kernel(peer, tmp_path_factory.mktemp("kernel")) as started:
        started.run(SETUP + KEPT)
        yield started


def state(kernel):
    """What ``%qsec status`` says of redaction: a line for each guard."""
    shown = kernel.run("%qsec status")
    text = next(m["content"]["data"]["text/plain"] for m in shown if m["msg_type"] == "execute_result")
    return [line for line in text.splitlines() if "Redaction of" in line]


@pytest.mark.parametrize("removed", REMOVED)
def test_status_names_what_was_removed_and_nothing_else(kernel, removed):
    names, remove, put_back = REMOVED[removed]
    kernel.run(remove)
    while_gone = state(kernel)
    kernel.run(put_back)
    off = [line.split(":")[0].split()[-1] for line in while_gone if "OFF" in line]
    assert off == names.split()
    assert not any("OFF" in line for line in state(kernel))
