"""The ledger against a bare append and sync on the same disk, and what describing a circuit costs."""

from __future__ import annotations

import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ENTRY = {"type": "run.gap", "data": {"filling": "x" * 600}}
ROUNDS, APPENDS, THREADS = 7, 60, 16


def run() -> list[dict[str, Any]]:
    from qsec_jupyter.ledger.log import Ledger

    bare, one, many = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        file = os.open(Path(folder) / "bare", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        with Ledger.open(Path(folder) / "ledger") as ledger:
            for _ in range(ROUNDS):
                bare.append(_seconds(lambda: _bare(file)))
                one.append(_seconds(lambda: _append(ledger)))
                many.append(_seconds(lambda: _from_threads(ledger)) / THREADS)
        os.close(file)
    floor = statistics.median(bare)
    alone, together = floor / statistics.median(one), floor / statistics.median(many)
    return [
        _row("ledger: appends of one thread, against a bare sync", alone, "x", ">= 0.3", alone >= 0.3),
        _row("ledger: appends of 16 threads, against a bare sync", together, "x", ">= 1", together >= 1),
        *_circuits(),
    ]


def _circuits() -> list[dict[str, Any]]:
    from qiskit import QuantumCircuit

    from qsec_jupyter.provenance.circuit import describe

    bell = QuantumCircuit(2)
    bell.h(0)
    bell.cx(0, 1)
    bell.measure_all()
    describe(bell)
    cost = statistics.median(_seconds(lambda: describe(bell)) for _ in range(200)) * 1e3
    return [_row("provenance: describe a Bell circuit", cost, "ms", "<= 0.2", cost <= 0.2)]


def _bare(file: int) -> None:
    for _ in range(APPENDS):
        os.write(file, b"x" * 720)
        os.fdatasync(file)


def _append(ledger: Any) -> None:
    for _ in range(APPENDS):
        ledger.append(ENTRY)


def _from_threads(ledger: Any) -> None:
    threads = [threading.Thread(target=_append, args=(ledger,)) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _row(name: str, value: float, unit: str, target: str, ok: bool) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": ok}
