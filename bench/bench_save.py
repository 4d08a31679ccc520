"""What a save costs with the scanner, as a ratio to the same save without it, measured interleaved.

``python -m bench.bench_save [--megabytes N] [--rounds N] [--json PATH]``
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import logging
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from qsec_jupyter.server.save.ahead import DELAY

FIRST_TARGETS = {"mixed": 1.05, "text": 1.10}
AGAIN_TARGET = 1.02
SCAN_TARGET = 0.5
"""What is scanned is also written faster than Jupyter writes it, so the scan has a row of its own."""

_SHARES = {
    "mixed": {"png": 0.35, "stream": 0.30, "html": 0.20, "plotly": 0.10, "traceback": 0.05},
    "text": {"stream": 0.65, "html": 0.25, "traceback": 0.10},
}
# ruff: noqa: E501, SIM905  # sample lines are as long as such lines are
_WORDS = (
    "transpiled circuit backend ibm_torino shots layout coupling map depth gates cx rz sx measure job status queued "
    "running done optimizer iteration energy gradient loss epoch accuracy parameter qubit fidelity calibration error "
    "rate sampler estimator session token limit key layer options result counts register observable variance"
).split()


class _Maker:
    """Draws notebooks in which nothing repeats, so that no cache can help the first save."""

    def __init__(self, seed: int, kind: str = "mixed") -> None:
        self._random = random.Random(seed)
        self._shares = _SHARES[kind]

    def notebook(self, size: int) -> dict[str, Any]:
        """Return a notebook of about ``size`` bytes with the shares of its kind in ``_SHARES``."""
        cells = []
        for kind, share in self._shares.items():
            pieces = max(1, round(size * share / max(4_000, size / 12)))
            for _ in range(pieces):
                output = getattr(self, f"_{kind}")(int(size * share / pieces))
                cells.append(self._cell(len(cells), output))
        self._random.shuffle(cells)
        metadata = {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python", "version": "3.12"},
        }
        return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}

    def _cell(self, number: int, output: dict[str, Any]) -> dict[str, Any]:
        lines = [
            f"{self._word()} = {self._word()}({self._random.random():.4f})  # {self._words(5)}"
            for _ in range(12)
        ]
        return {
            "cell_type": "code",
            "id": f"{self._random.getrandbits(32):08x}",
            "execution_count": number + 1,
            "metadata": {},
            "source": "\n".join(lines),
            "outputs": [output],
        }

    def _word(self) -> str:
        return self._random.choice(_WORDS)

    def _words(self, count: int) -> str:
        return " ".join(self._random.choices(_WORDS, k=count))

    def _png(self, size: int) -> dict[str, Any]:
        content = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + self._random.randbytes(size * 3 // 4)
        data = {
            "image/png": base64.b64encode(content).decode(),
            "text/plain": "<Figure size 640x480 with 1 Axes>",
        }
        return {"output_type": "display_data", "data": data, "metadata": {}}

    def _stream(self, size: int) -> dict[str, Any]:
        lines: list[str] = []
        while size > 0:
            lines.append(self._line())
            size -= len(lines[-1])
        return {"output_type": "stream", "name": "stdout", "text": "".join(lines)}

    def _line(self) -> str:
        pick = self._random.random()
        if pick < 0.3:
            return f"2026-03-14 09:26:53,{self._random.randrange(1000):03d} INFO qiskit.transpiler: {self._words(3)} - {self._random.random() * 100:.5f} (ms)\n"
        if pick < 0.5:
            return f"epoch {self._random.randrange(1000)}/1000 loss={self._random.random():.6f} acc={self._random.random():.6f}\n"
        if pick < 0.6:
            done = self._random.randrange(20)
            return f"\r {done * 5}%|{'█' * done}{' ' * (20 - done)}| {done}/20 [00:10<00:20, {self._random.random():.2f}it/s]"
        if pick < 0.7:
            return f"job_id: {self._random.getrandbits(100):025x} session {self._random.getrandbits(128):032x} sha256:{self._random.getrandbits(256):064x}\n"
        if pick < 0.8:
            counts = {f"{self._random.getrandbits(5):05b}": self._random.randrange(4000) for _ in range(12)}
            return f"{counts}\n"
        return self._words(self._random.randrange(4, 14)) + "\n"

    def _html(self, size: int) -> dict[str, Any]:
        rows, plain = [], []
        while size > 0:
            values = [f"{self._random.random():.6f}" for _ in range(5)] + [
                f"{self._random.getrandbits(64):016x}"
            ]
            rows.append(
                "    <tr>\n" + "".join(f"      <td>{value}</td>\n" for value in values) + "    </tr>\n"
            )
            plain.append("  ".join(values))
            size -= len(rows[-1]) + len(plain[-1])
        table = '<table border="1" class="dataframe">\n  <tbody>\n' + "".join(rows) + "  </tbody>\n</table>"
        data = {"text/html": table, "text/plain": "\n".join(plain)}
        return {"output_type": "execute_result", "execution_count": 1, "data": data, "metadata": {}}

    def _plotly(self, size: int) -> dict[str, Any]:
        points = max(10, size // 28)
        trace = {
            "type": "scatter",
            "mode": "lines+markers",
            "name": "energy",
            "x": list(range(points)),
            "y": [self._random.random() for _ in range(points)],
        }
        figure = {"data": [trace], "layout": {"title": {"text": "VQE"}, "colorway": ["#636efa", "#EF553B"]}}
        return {
            "output_type": "display_data",
            "data": {"application/vnd.plotly.v1+json": figure},
            "metadata": {},
        }

    def _traceback(self, size: int) -> dict[str, Any]:
        frames = []
        while size > 0:
            name = self._word()
            frames.append(
                f"\x1b[36mFile \x1b[39m\x1b[32m/opt/conda/lib/python3.12/site-packages/qiskit/{name}.py:{self._random.randrange(900)}"
                f"\x1b[39m, in \x1b[36m{name}\x1b[39m\x1b[34m(self, *args, **kwargs)\x1b[39m\n"
                f"\x1b[1;32m    {self._random.randrange(900)}\x1b[39m     {name} = self._{self._word()}(token=self._params.token)\n"
            )
            size -= len(frames[-1])
        return {
            "output_type": "error",
            "ename": "IBMRuntimeError",
            "evalue": "Failed to run program",
            "traceback": frames,
        }


def run(megabytes: float = 1.0, rounds: int = 25) -> list[dict[str, Any]]:
    """Return the ratios of first save and re-save, each a median over interleaved pairs."""
    os.environ.pop("JUPYTER_CONFIG_DIR", None)
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("QSEC_HOME")
        os.environ["QSEC_HOME"] = str(Path(folder) / "home")
        try:
            return [row for kind in _SHARES for row in _measure(Path(folder), megabytes, rounds, kind)]
        finally:
            if before is None:
                del os.environ["QSEC_HOME"]
            else:
                os.environ["QSEC_HOME"] = before


def _measure(folder: Path, megabytes: float, rounds: int, kind: str) -> list[dict[str, Any]]:
    bare, guarded = _managers(folder / kind)
    first: tuple[list[float], list[float]] = ([], [])
    opened: tuple[list[float], list[float]] = ([], [])
    again: tuple[list[float], list[float]] = ([], [])
    alone: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 2):
        # Parsed from JSON, as a request's body is: every text is a fresh object.
        text = json.dumps(_Maker(number, kind).notebook(int(megabytes * 1e6)))
        name = f"{number}.ipynb"
        pair = (bare, guarded) if number % 2 else (guarded, bare)
        for times in (first, again, again, again):
            for manager in pair:
                seconds = _save(manager, json.loads(text), name)
                if number >= 2:  # the first two warm everything up
                    times[manager is guarded].append(seconds)
        text = json.dumps(_Maker(rounds + 2 + number, kind).notebook(int(megabytes * 1e6)))
        name = f"opened-{number}.ipynb"
        for manager, content in zip(pair, _opened(pair, text, name), strict=True):
            seconds = _save(manager, content, name)
            if number >= 2:
                opened[manager is guarded].append(seconds)
        text = json.dumps(_Maker(2 * rounds + 4 + number, kind).notebook(int(megabytes * 1e6)))
        for step, work in enumerate((bare.save, guarded.save.qsec.scan)):
            model = {"type": "notebook", "format": "json", "content": json.loads(text)}
            started = time.process_time()
            work(model, f"alone-{number}.ipynb")
            if number >= 2:
                alone[step].append(time.process_time() - started)
    return [
        _row(f"save {megabytes:g} MB {kind}, first", first, FIRST_TARGETS[kind]),
        _row(f"save {megabytes:g} MB {kind}, first since it was opened", opened, AGAIN_TARGET),
        _row(f"save {megabytes:g} MB {kind}, again", again, AGAIN_TARGET),
        _row(f"its scan alone, {kind}, first, processor time", alone, SCAN_TARGET),
    ]


def _managers(folder: Path) -> tuple[Any, Any]:
    from jupyter_server.services.contents.largefilemanager import LargeFileManager

    from qsec_jupyter.core.secret import Secret
    from qsec_jupyter.server.save import SaveGuard

    logging.getLogger().setLevel(logging.ERROR)
    managers = []
    for name in ("bare", "guarded"):
        root = folder / name
        root.mkdir(parents=True)
        managers.append(LargeFileManager(root_dir=str(root)))
    guard = SaveGuard()
    guard.warm()
    guard.known.add("sandbox", Secret("an-issued-value-of-usual-length-0123456789", "sandbox"))
    guard.attach(managers[1])
    return managers[0], managers[1]


def _save(manager: Any, notebook: dict[str, Any], name: str) -> float:
    started = time.perf_counter()
    manager.save({"type": "notebook", "format": "json", "content": notebook}, name)
    return time.perf_counter() - started


def _opened(managers: tuple[Any, ...], text: str, name: str) -> list[dict[str, Any]]:
    """Return a notebook as tabs send it that have opened it some time ago, once for each manager."""
    for manager in managers:
        Path(manager.root_dir, name).write_text(text)

    async def open_them() -> list[dict[str, Any]]:
        contents = [manager.get(name)["content"] for manager in managers]
        await asyncio.sleep(DELAY + 0.1)  # reading ahead has begun; leaving the loop waits for it
        return contents

    return [json.loads(json.dumps(content)) for content in asyncio.run(open_them())]


def _row(name: str, times: tuple[list[float], list[float]], target: float) -> dict[str, Any]:
    ratio = statistics.median(ours / bare for bare, ours in zip(*times, strict=True))
    return {
        "name": name,
        "value": round(ratio, 3),
        "unit": "x",
        "target": f"<= {target:.2f} x bare",
        "ok": ratio <= target,
        "bare_ms": round(statistics.median(times[0]) * 1e3, 2),
        "ours_ms": round(statistics.median(times[1]) * 1e3, 2),
    }


def main(argv: list[str] | None = None) -> int:
    """Print the ratios; return 1 when one misses its target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=float, default=1.0)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args(argv)
    rows = run(arguments.megabytes, arguments.rounds)
    for row in rows:
        mark = "ok  " if row["ok"] else "MISS"
        print(
            f"{mark} {row['name']:48} {row['value']:.3f} x ({row['target']})  {row['bare_ms']} -> {row['ours_ms']} ms"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
