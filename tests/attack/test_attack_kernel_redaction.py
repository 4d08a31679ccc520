"""Claim: a value the kernel was given does not show in the notebook, however it is printed.

The tests try combinations at random in one real kernel. The last ones pin down what is NOT claimed: code that
means to get the value out can do so, by its own arithmetic or by putting the original functions back. The
README says so, and ``%qsec status`` shows a removed hook.
"""

import random
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent.parent / part) for part in ("integration", "kernel")]

from qsec_kernels import Kernel, Peer, printed  # noqa: E402

VALUE = 'aB3"x\\y<z>&ü+/=9kLmNoP0123456789'


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with Peer(VALUE) as peer, Kernel(peer, tmp_path_factory.mktemp("kernel")) as started:
        started.run(
            "import qsec_jupyter as qsec, os, sys, threading, time, json, html, base64, urllib.parse, subprocess\n"  # noqa: E501
            "qsec.request('sandbox', reason='t'); v = qsec.credential('sandbox').reveal()"
        )
        yield started


ENCODINGS = [
    "v", "v[::-1]", "v.encode().hex()", "v.encode().hex().upper()", "urllib.parse.quote(v)", "urllib.parse.quote_plus(v)",  # noqa: E501
    "json.dumps(v)", "json.dumps(v, ensure_ascii=False)", "html.escape(v)", "repr(v)", "repr([v])",
    "base64.b64encode(v.encode()).decode()", "base64.urlsafe_b64encode(b'ab' + v.encode() + b'cde').decode()",
    "json.dumps(json.dumps(v))",
]  # fmt: skip
REPR = ["from IPython.display import display; display(text)", "text"]
CHANNELS = [
    *REPR,
    "for piece in pieces: print(piece, end='')",
    "for piece in pieces: print(piece, end='', flush=True)",
    "for piece in pieces: sys.stderr.write(piece)",
    "for piece in pieces: os.write(1, piece.encode())\ntime.sleep(.2)",
    "for piece in pieces: os.write(2, piece.encode())\ntime.sleep(.2)",
    "raise RuntimeError(text)",
    "t = threading.Thread(target=lambda: [print(p, end='') for p in pieces]); t.start(); t.join()",
    "subprocess.run(['printf', '%s', text]);",
    "pid = os.fork()\nif pid == 0:\n    print(text, flush=True); os._exit(0)\nos.waitpid(pid, 0); time.sleep(.1)",  # noqa: E501
]


def test_random_encodings_splits_and_channels_let_nothing_through(kernel):
    dice = random.Random(20260131)
    for _ in range(120):
        encoding, channel = dice.choice(ENCODINGS), dice.choice(CHANNELS)
        clear = _clear_text(encoding)
        if channel in REPR and encoding != "v" and "\\" in clear:
            continue  # an escape of an escape of an escape is not among the encodings that are claimed
        cuts = sorted(dice.randrange(60) for _ in range(dice.randrange(6)))
        noise = dice.choice(["''", "''", r"'\x1b[1;31m'", r"'\u200b'"])
        if channel in REPR:
            noise = "''"  # a repr spells such characters out: they are then text between others, and shown
        code = (
            f"clear = {encoding}; text = 'x' + ({noise}).join(clear) + 'y'\n"
            f"edges = [0, *{cuts}, len(text)]; pieces = [text[a:b] for a, b in zip(edges, edges[1:])]\n{channel}"  # noqa: E501
        )
        messages = kernel.run(code)
        shown = everything(messages)
        assert clear not in shown, code
        assert "[redacted: sandbox]" in shown, code


def _clear_text(encoding):
    import base64
    import html
    import json
    import urllib.parse

    names = {"v": VALUE, "base64": base64, "html": html, "json": json, "urllib": urllib}
    return str(eval(encoding, names))


def everything(messages):
    """All text that a person would read in these messages, without what shows nothing."""
    parts = []
    for message in messages:
        content = message["content"]
        parts += [content.get("text", ""), *content.get("data", {}).values(), *content.get("traceback", ())]
        parts += [content.get("evalue", "")]
    text = "".join(part for part in parts if isinstance(part, str))
    for noise in ("\x1b[1;31m", "\u200b"):
        text = text.replace(noise, "")
    return text


def test_two_kernels_at_once_do_not_share_what_they_know(kernel, tmp_path):
    with Peer("another-secret-value-0000") as peer, Kernel(peer, tmp_path) as other:
        other.run(
            "import qsec_jupyter as q; q.request('sandbox', reason='t'); w = q.credential('sandbox').reveal()"
        )
        assert "another" not in printed(other.run("print(w)"))
        assert VALUE[-12:] in printed(other.run(f"print({VALUE!r})"))


def test_switching_hooks_off_is_possible_and_visible(kernel, tmp_path):
    """The limit of the claim: user code can undo it, and status says that it did."""
    with Peer(VALUE) as peer, Kernel(peer, tmp_path) as other:
        other.run(
            "import qsec_jupyter as q; q.request('sandbox', reason='t'); v = q.credential('sandbox').reveal()"
        )
        other.run("import io, sys; sys.stdout = io.TextIOWrapper(io.BytesIO())")
        shown = other.run("%qsec status")
        text = next(m["content"]["data"]["text/plain"] for m in shown if m["msg_type"] == "execute_result")
        assert "Redaction of streams: OFF" in text


def test_the_users_own_arithmetic_is_not_recognised_and_nobody_claims_it(kernel):
    shown = printed(kernel.run("print([ord(c) for c in v])"))
    assert str(ord(VALUE[0])) in shown
