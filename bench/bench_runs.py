"""The index of 10,000 recorded runs: how long a page takes, by each way to ask for it."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

RUNS, TURNS, LIMIT = 10_000, 21, 50.0


def run() -> list[dict[str, Any]]:
    from qsec_jupyter.control.evidence.runs import Query, Runs
    from qsec_jupyter.control.store import Store, open_engine
    from qsec_jupyter.ledger.evidence import StatementStore
    from qsec_jupyter.ledger.keys import KeyArchive

    queries = {
        "newest": Query(),
        "a rare word": Query(search="cell-1234"),
        "no hit": Query(search="nothing-like-it"),
        "backend and status": Query(backend="ibm_fez", status="failed"),
        "a kernel since a day": Query(kernel_id="k3", since="2026-01-15"),
    }
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = Store(open_engine(folder / "qsec.db"))
        _fill(store)
        runs = Runs(store, StatementStore(folder), KeyArchive(folder), "bench")
        rows = []
        for what, query in queries.items():
            took = [_milliseconds(lambda: runs.search(query, 50)) for _ in range(TURNS)]  # noqa: B023
            value = statistics.median(took)
            ok = value <= LIMIT
            rows.append(
                {
                    "name": f"10,000 runs, page by {what}",
                    "value": value,
                    "unit": "ms",
                    "target": "<= 50",
                    "ok": ok,
                }
            )
        store.close()
    return rows


def _fill(store: Any) -> None:
    from qsec_jupyter.control import tables

    with store._begin() as connection:
        connection.execute(tables.runs.insert(), [_row(number) for number in range(RUNS)])


def _row(number: int) -> dict[str, Any]:
    summary = {
        "run_id": f"{number:032x}",
        "kernel_id": f"k{number % 20}",
        "framework": "qiskit",
        "operation": "qiskit_aer.AerSimulator.run",
        "backend": "aer_simulator" if number % 50 else "ibm_fez",
        "status": "done" if number % 10 else "failed",
        "started_at": f"2026-01-{1 + number % 28:02d}T09:00:00.000Z",
        "gaps": ["the digest of the container's image is not known inside it"],
    }
    indexed = {
        key: summary[key] for key in ("run_id", "kernel_id", "framework", "backend", "status", "started_at")
    }
    words = f"{summary['run_id']} {summary['operation']} {summary['backend']} cell-{number} {'0' * 64}"
    return {**indexed, "position": number, "summary": summary, "searched": words.lower()}


def _milliseconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3
