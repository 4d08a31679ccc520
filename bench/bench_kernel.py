"""The kernel side against bare kernels, interleaved: import, start, credential.

A kernel's start takes a second on a machine that others use as well, and varies by more than
what is measured; there the fastest of many turns on each side are compared. The rest are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_TESTS = Path(__file__).parent.parent / "tests"
sys.path[:0] = [str(_TESTS / "integration"), str(_TESTS / "kernel")]

from qsec_kernels import Kernel, Peer  # noqa: E402

IMPORTS, STARTS = 9, 14

_READY = "--IPKernelApp.exec_lines=import time; _ready = time.time()"


def _row(name: str, value: float, unit: str, target: str, ok: bool) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": ok}


def import_rows() -> list[dict[str, Any]]:
    """Time the import statement in fresh interpreters, where a kernel's own modules are loaded already."""
    code = "import ipykernel.kernelapp, time; t = time.perf_counter(); {}; print(time.perf_counter() - t)"

    def once(statement: str) -> float:
        done = subprocess.run(
            [sys.executable, "-c", code.format(statement)], capture_output=True, text=True, check=True
        )
        return float(done.stdout)

    times = [once("import qsec_jupyter") for _ in range(IMPORTS)]
    value = statistics.median(times) * 1000
    return [_row("import qsec_jupyter", value, "ms", "<= 5", value <= 5)]


def start_rows() -> list[dict[str, Any]]:
    """Time real kernels from launch to after their extensions, with and without ours, in turn.

    Bytecode is cached on both sides, as it is for an installed package.
    """
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as name:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = f"{name}/bytecode"

        def with_us() -> float:
            return _start(Path(name), ours=True)

        def without() -> float:
            return _start(Path(name), ours=False)

        try:
            pairs = [_both(with_us, without, turn) for turn in range(STARTS + 2)][2:]
        finally:
            os.environ.clear()
            os.environ.update(before)
    value = (min(a for a, _ in pairs) - min(b for _, b in pairs)) * 1000
    return [_row("Kernel start, added", value, "ms", "<= 25", value <= 25)]


def _start(folder: Path, *, ours: bool) -> float:
    peer = Peer()
    began = time.time()
    with peer, Kernel(peer if ours else None, folder, more=(_READY,)) as kernel:
        return float(_result(kernel, "_ready")) - began


def _result(kernel: Kernel, code: str) -> str:
    messages = kernel.run(code, seconds=120)
    return next(m["content"]["data"]["text/plain"] for m in messages if m["msg_type"] == "execute_result")


def credential_rows() -> list[dict[str, Any]]:
    """Time the second and later calls for a credential."""
    from qsec_jupyter.kernel import api, session
    from qsec_jupyter.kernel.channel import Channel

    with Peer() as peer:
        channel = Channel(peer.kernel_end)
        session.start(session.Session(channel, lambda *_: True))
        api.request("sandbox", reason="bench")
        api.credential("sandbox")
        times = []
        for _ in range(1000):
            began = time.perf_counter()
            api.credential("sandbox").reveal()
            times.append(time.perf_counter() - began)
        channel.close()
        session.start(None)
    value = statistics.median(times) * 1000
    return [_row("Cached credential", value, "ms", "<= 1", value <= 1)]


def _both(first: Callable[[], float], second: Callable[[], float], turn: int) -> tuple[float, float]:
    """Measure both, in alternating order: what runs second finds warmer caches."""
    if turn % 2:
        late = second()
        return first(), late
    return first(), second()


def run() -> list[dict[str, Any]]:
    """Return all rows of this module."""
    return [*import_rows(), *start_rows(), *credential_rows()]


def main(argv: list[str]) -> int:
    """Run all or some of the measurements by hand."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("only", nargs="*", help="import, start, credential")
    args = parser.parse_args(argv)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    rows = [row for name in args.only for row in globals()[f"{name}_rows"]()] if args.only else run()
    for row in rows:
        mark = "ok    " if row["ok"] else "MISSED"
        print(f"{mark}  {row['name']:<52} {row['value']:>8.3f} {row['unit']}  {row['target']}")
    if args.json:
        args.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
