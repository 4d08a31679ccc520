"""Claim: output without a known value is a bare kernel's, byte for byte.

Random programs run in two kernels, one with our hooks and a value, and one without: colours, carriage
returns, progress bars, ``clear_output``, updated displays, descriptors, and texts that almost are the value.
"""

import json
import random
import re
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent.parent / part) for part in ("integration", "kernel")]

from qsec_kernels import Kernel, Peer  # noqa: E402
from qsec_peer import VALUE  # noqa: E402
from qsec_routes import SETUP  # noqa: E402

PROGRAMS, STEPS = 60, 12
IMPORTS = """
import os, sys, time, json, logging, warnings
from IPython.display import display, clear_output, HTML, Markdown, JSON
from tqdm import tqdm
"""
TEXTS = [
    "'plain'",
    r"'\x1b[31mred\x1b[0m \x1b[38;5;208m'",
    r"'\x1b'",
    r"'[1;31m'",
    r"'\r' + '#' * 20",
    r"'back\x08\x08space\ttab\x0b\x0c'",
    r"'\x1b[2K\r\x1b[1A'",
    r"'\u200b\u200d\ufeff'",
    r"'ünïcode 🎈 \U0001f468\u200d\U0001f469'",
    r"'\x00\x7f\x85\u2028'",
    "'\\n' * 3",
    "''",
    "'<b>&amp;</b>'",
    r"'\\x1b[31m \\u200b %73%6b'",
    *(repr(VALUE[:cut]) for cut in (1, 4, 12, len(VALUE) - 1)),
    repr(VALUE[1:]),
    repr(VALUE[::-1][:-1]),
    repr(VALUE.swapcase()),
    repr(VALUE.encode().hex()[:-2]),
    "'[redacted: sandbox]'",
    "'0123456789abcdef' * 5000",
]
STATEMENTS = [
    "print({0})",
    "print({0}, end='')",
    "print({0}, end='', flush=True)",
    "sys.stdout.write({0}); sys.stdout.flush()",
    "sys.stderr.write({0})",
    "display({0})",
    "display(HTML({0}), Markdown({0}))",
    "display({{'text/plain': {0}, 'application/json': {{'k': [{0}, 1, 2.5, None, 1e300]}}}}, raw=True)",
    "display({{'text/plain': 'x'}}, metadata={{'m': {0}}}, raw=True)",
    "display({0}, display_id='one')",
    "display({0}, display_id='one', update=True)",
    "clear_output()",
    "print({0}, end=''); clear_output(wait=True)",
    "[print(f'\\r{{i}}%', {0}, end='') for i in range(0, 100, 10)]",
    "for _ in tqdm(range(20), mininterval=0, bar_format='{{l_bar}}{{bar}}| {{n_fmt}}'): pass",
    "for c in {0}[:200]: print(c, end='')",
    "for c in {0}[:200]: sys.stdout.write(c); sys.stdout.flush()",
    "os.write(1, {0}.encode()); time.sleep(.05)",
    "logging.getLogger('a').error({0})",
    "print(json.dumps({0}), repr({0}), {0}.encode().hex())",
]
LASTS = [
    "{0}",
    "[{0}, 1.5]",
    "print({0}, end='')",
    "raise ValueError({0})",
    "assert not {0}, {0}",
    "1 / 0",
    "None",
]


def program(seed):
    dice = random.Random(seed)
    chosen = [*(dice.choice(STATEMENTS) for _ in range(STEPS)), dice.choice(LASTS)]
    return "\n".join(statement.format(f"({dice.choice(TEXTS)})") for statement in chosen)


def transcript(messages):
    """Every message's content in order; the pieces of one stream between two other messages as one text.

    Where a flush cuts a stream is a matter of timing in a bare kernel, too, and so is which of two streams
    comes first. What updates an earlier display stands there, not where it was sent. Process ids and ids
    that are drawn anew for each kernel are left out.
    """
    found, updates, streams = [], [], {}

    def end_streams():
        found.extend((name, re.sub(r"ipykernel_\d+/\d+", "", text)) for name, text in sorted(streams.items()))
        streams.clear()

    for message in messages:
        content = message["content"]
        if message["msg_type"] == "stream":
            streams[content["name"]] = streams.get(content["name"], "") + content["text"]
            continue
        content.pop("engine_info", None)
        shown = re.sub(r"ipykernel_\d+/\d+", "", json.dumps(content))
        if message["msg_type"] == "update_display_data":
            updates.append(shown)
            continue
        end_streams()
        found.append((message["msg_type"], shown, message["metadata"].get("status"), message["buffers"]))
    return found, updates


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kernel")
    with Peer() as peer, Kernel(peer, folder) as ours, Kernel(None, folder) as bare:
        ours.run(SETUP)
        bare.run("'the same number of cells'")
        for kernel in (ours, bare):
            kernel.run(IMPORTS)
        yield ours, bare


@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_a_random_program_shows_the_same(kernels, seed):
    code = program(seed)
    ours, bare = (transcript(kernel.run(code)) for kernel in kernels)
    assert ours == bare, code
