"""The server's loop while a large notebook is saved: the scan is on another thread.

A clock would measure the machine. What is counted instead is where scans run, and how many turns the
loop takes while one runs: a loop that is blocked takes none.
"""

import asyncio
import threading

import pytest
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.scanner import Scanner
from qsec_jupyter.server.save import SaveGuard

LINES = "epoch 12 loss 0.5 token: none secret: no key: value\n" * 20_000


def notebook():
    cells = [
        {
            "cell_type": "code", "id": f"c{number}", "metadata": {}, "execution_count": 1,
            "source": f"x = {number}",
            "outputs": [{"output_type": "stream", "name": "stdout", "text": LINES + str(number)}],
        }
        for number in range(20)
    ]  # fmt: skip
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


@pytest.fixture
def guarded(tmp_path, monkeypatch):
    monkeypatch.setenv("QSEC_HOME", str(tmp_path / "home"))
    root = tmp_path / "root"
    root.mkdir()
    known, baseline = KnownValues(), Baseline(tmp_path / "kept.json")
    guard = SaveGuard(scanner=Scanner(known, baseline, b"k" * 32), known=known, baseline=baseline)
    guard.warm()
    manager = AsyncLargeFileManager(root_dir=str(root))
    guard.attach(manager)
    return manager, guard


async def test_no_scan_of_a_save_runs_on_the_loop_and_the_loop_goes_on(guarded, monkeypatch) -> None:
    manager, guard = guarded
    threads, turns, scanning = [], 0, threading.Event()
    for name in ("scan_notebook", "scan_text"):
        scan = getattr(guard.scanner, name)

        def noted(*args, scan=scan):
            threads.append(threading.get_ident())
            scanning.set()
            try:
                return scan(*args)
            finally:
                scanning.clear()

        monkeypatch.setattr(guard.scanner, name, noted)

    async def count():
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += scanning.is_set()

    counting = asyncio.ensure_future(count())
    await manager.save({"type": "notebook", "content": notebook()}, "a.ipynb")
    data = "x" * 40
    for chunk in (1, -1):
        await manager.save({"type": "file", "format": "text", "content": data, "chunk": chunk}, "b.txt")
    await manager.create_checkpoint("a.ipynb")
    await manager.restore_checkpoint("checkpoint", "a.ipynb")
    await manager.rename_file("a.ipynb", "c.ipynb")
    counting.cancel()
    assert threads
    assert threading.get_ident() not in threads
    assert turns > 0
