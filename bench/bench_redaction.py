"""Redaction against a bare kernel, interleaved: prints, displays, memory; 50 and 5,000 known values.

A large print takes as long as the machine lets it, which others use as well: the fastest of many turns on
each side are compared. Values are random, of 44 characters as IBM Cloud's keys are, unless a row says
otherwise.
"""

from __future__ import annotations

import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).parent.parent / "tests"
sys.path[:0] = [str(_TESTS / "integration"), str(_TESTS / "kernel")]

from qsec_kernels import Kernel, Peer, printed  # noqa: E402

TURNS, LONG_TURNS = 40, 12

_WORK = """
import base64, os, random
from IPython.display import HTML, display
line = "iteration 0123: energy = -1.137 +/- 0.002, converged, 1024 shots on backend"
page = (line + "\\n") * 130_000
image = base64.b64encode(random.Random(1).randbytes(7_500_000)).decode()
colour = f"\\x1b[32m{line}\\x1b[0m\\n" * 116_000
def lines():
    for _ in range(130_000): print(line)
def pieces():
    for _ in range(130): print(page[:77_000], end="")
def once(): print(page, end="")
def html(): display(HTML(page))
def png(): display({"image/png": image}, raw=True)
def coloured(): print(colour, end="")
"""

_KNOW = """
import random, resource, string
from qsec_jupyter.core.secret import Secret
from qsec_jupyter.kernel import redaction
def resident():
    with open("/proc/self/statm") as stat: return int(stat.read().split()[1]) * resource.getpagesize() / 1e6
before = resident()
dice = random.Random(2)
for number in range({count}):
    value = "".join(dice.choices(string.ascii_letters + string.digits + "-_", k={length}))
    redaction.register(f"t{{number}}", Secret(value, f"t{{number}}"))
assert redaction.masker
print(resident() - before)
"""


def _row(name: str, value: float, unit: str, target: str, ok: bool) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": ok}


def _ratio(ours: Kernel, bare: Kernel, work: str, turns: int = TURNS) -> float:
    """Return our time by a bare kernel's, from request to idle: every message has arrived by then."""
    times: dict[Kernel, list[float]] = {ours: [], bare: []}
    for turn in range(turns + 1):
        for kernel in (ours, bare) if turn % 2 else (bare, ours):
            began = time.perf_counter()
            kernel.run(f"{work}();", seconds=120)
            times[kernel].append(time.perf_counter() - began)
    return min(times[ours][1:]) / min(times[bare][1:])


def run() -> list[dict[str, Any]]:
    """Return all rows of this module."""
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bare = stack.enter_context(Kernel(None, folder))
        bare.run(_WORK)

        def knowing(count: int, length: int = 44) -> tuple[Kernel, float]:
            kernel = stack.enter_context(Kernel(stack.enter_context(Peer()), folder))
            kernel.run(_WORK)
            return kernel, float(printed(kernel.run(_KNOW.format(count=count, length=length))))

        def throughput(kernel: Kernel, work: str, name: str, least: float, turns: int = TURNS) -> None:
            value = 1 / _ratio(kernel, bare, work, turns)
            rows.append(_row(f"Printing 10 MB {name}, throughput", value, "x", f">= {least}", value >= least))

        def duration(kernel: Kernel, work: str, name: str, most: float) -> None:
            value = _ratio(kernel, bare, work)
            rows.append(_row(f"One display of 10 MB, {name}", value, "x", f"<= {most}", value <= most))

        fifty, memory = knowing(50)
        throughput(fifty, "lines", "by lines, 50 values", 0.95, LONG_TURNS)
        throughput(fifty, "pieces", "in 77 kB pieces, 50 values", 0.95)
        throughput(fifty, "once", "at once, 50 values", 0.95)
        throughput(fifty, "coloured", "at once, coloured (our own floor)", 0.4)
        duration(fifty, "html", "HTML, 50 values", 1.05)
        duration(fifty, "png", "an image, 50 values", 1.05)
        rows.append(_row("Memory of 50 known values", memory, "MB", "<= 5", memory <= 5))
        short, _ = knowing(50, 20)
        throughput(short, "lines", "by lines, 50 values of 20 characters", 0.95, LONG_TURNS)
        duration(short, "html", "HTML, 50 values of 20 characters (own)", 1.5)
        long, _ = knowing(50, 60)
        duration(long, "html", "HTML, 50 values of 60 characters (own)", 1.5)
        many, memory = knowing(5000)
        throughput(many, "lines", "by lines, 5,000 values", 1 / 1.2, LONG_TURNS)
        throughput(many, "once", "at once, 5,000 values", 1 / 1.2)
        duration(many, "html", "HTML, 5,000 values", 1.2)
        duration(many, "png", "an image, 5,000 values (own)", 4)
        rows.append(_row("Memory of 5,000 known values", memory, "MB", "<= 200", memory <= 200))
    return rows
