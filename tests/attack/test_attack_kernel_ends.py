"""Claim: no end that a cell or a kernel may come to lets out a value that was on its way.

Interrupts, restarts, kills and two kernels at once, each while a part of a value is held back.
"""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent.parent / part) for part in ("integration", "kernel")]

from qsec_kernels import Kernel, Peer, printed  # noqa: E402
from qsec_peer import VALUE  # noqa: E402
from qsec_routes import MARK, SETUP, everything, leaks  # noqa: E402


@pytest.fixture
def kernel(tmp_path):
    with Peer() as peer, Kernel(peer, tmp_path) as started:
        started.run(SETUP)
        yield started


def interrupted(kernel, code):
    """Run a cell and interrupt it half a second after it began; return what it showed."""
    wanted = kernel.client.execute(code)
    shown, sent = [], False
    while not (shown and shown[-1]["content"].get("execution_state") == "idle"):
        message = kernel.client.get_iopub_msg(timeout=30)
        if message["parent_header"].get("msg_id") != wanted:
            continue
        shown.append(message)
        if message["msg_type"] == "execute_input" and not sent:
            sent = True
            time.sleep(0.5)
            kernel.manager.interrupt_kernel()
    shown.append(kernel.reply(wanted))
    time.sleep(0.5)  # ipykernel aborts what is queued behind an error
    return shown


@pytest.mark.parametrize("cut", [1, 5, len(VALUE) - 1])
def test_an_interrupted_value_whose_rest_is_printed_on_the_way_out_is_one_marker(kernel, cut):
    shown = interrupted(
        kernel,
        f"print('a ', v[:{cut}], sep='', end='', flush=True)\n"
        f"try: time.sleep(30)\nfinally: print(v[{cut}:], 'b')",
    )
    assert printed(shown) == f"a {MARK} b\n"
    assert not leaks(everything(shown))


@pytest.mark.parametrize("write", ["print(c, end='', flush=True)", "os.write(1, c.encode())"])
def test_interrupts_at_any_moment_of_endless_printing(kernel, write):
    for _ in range(3):
        shown = interrupted(kernel, f"while True:\n    for c in v + ' ': {write}; time.sleep(.001)")
        time.sleep(0.5)
        text = printed(shown)
        assert text.startswith(MARK)
        whole, _, rest = text.rpartition(MARK)
        assert not whole.replace(MARK, "").strip()
        # What the interrupt cut off is the beginning of a value that never came to be printed whole.
        assert VALUE.startswith(rest.strip())
        assert not leaks(everything(shown))


def test_an_interrupt_in_a_system_call_or_child_keeps_the_guard(kernel):
    shown = interrupted(kernel, "subprocess.run(['sh', '-c', f'printf {v[:9]}; sleep 5; printf {v[9:]}']);")
    assert not leaks(everything(shown))
    assert printed(kernel.run("print(v)")) == f"{MARK}\n"


def test_a_kernel_that_was_restarted_masks_again(kernel):
    kernel.client.execute(
        "print(v[:9], end='', flush=True); time.sleep(.2); threading.Thread(target=print, args=(v,)).start()"
    )
    with Peer() as peer:
        kernel.restart(peer)
        before = printed(kernel.stray(0.5))
        assert VALUE not in before
        kernel.run(SETUP)
        assert printed(kernel.run("for c in v: print(c, end='', flush=True)")) == MARK
        assert "OFF" not in kernel.text("print(qsec.status())")
        kernel.run("os.write(1, v.encode()); time.sleep(.2)")
    log = kernel.log.read_text()
    assert MARK in log
    assert not leaks(log)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_a_kernel_that_is_killed_while_it_prints_leaves_nothing_in_the_log(kernel, end):
    kernel.client.execute(
        "while True:\n    for c in v: os.write(2, c.encode()); print(c, end='', flush=True)"
    )
    time.sleep(1)
    os.kill(kernel.manager.provisioner.pid, end)
    shown = kernel.stray(1)
    assert MARK in printed(shown)
    assert not leaks(everything(shown))
    log = kernel.log.read_text()
    assert MARK in log
    assert not leaks(log)


def test_two_kernels_at_once_each_mask_their_own_in_a_log_they_share(kernel, tmp_path):
    other_value = "oth-" + VALUE[:3:-1] + "0123"
    with Peer(other_value) as peer, Kernel(peer, tmp_path) as other:
        other.run(SETUP)
        code = "for _ in range(200):\n    for c in v: print(c, end=''); os.write(2, c.encode())"
        wanted = [(each, each.client.execute(code)) for each in (kernel, other)]
        for each, request in wanted:
            each.reply(request)
            shown = each.stray(0.5)
            text = printed(shown)
            assert set(text.split(MARK)) == {""}
            assert not any(value in everything(shown) for value in (VALUE, other_value))
        assert printed(other.run(f"print({VALUE!r})")) == f"{VALUE}\n"  # it was never given this one
    for each in (kernel, other):
        assert not any(value in each.log.read_text() for value in (other_value, VALUE[5:]))
