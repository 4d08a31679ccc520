"""Scans by several processes, forked and started anew, find what one finds."""

import json
import random
import subprocess
import sys
import threading

import psutil
import pytest

from qsec_jupyter.cli.scan import main
from qsec_jupyter.scan.rules.samples import fill


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("QSEC_HOME", str(tmp_path / "home"))
    (tmp_path / "files").mkdir()
    monkeypatch.chdir(tmp_path / "files")
    source = random.Random(1)
    for number in range(90):
        text = "x = 1\n" * number
        if number % 9 == 0:
            text += fill("service(token='{random:44}')\n", source)[0]
        (tmp_path / "files" / f"{number:02}.py").write_text(text)
    (tmp_path / "files" / "bad.ipynb").write_text("{")


def scan(capsys, *arguments):
    status = main([".", "--format", "json", *arguments])
    return status, json.loads(capsys.readouterr().out)


def test_several_forked_processes_find_what_one_finds(folder, capsys):
    one, several = scan(capsys, "--jobs", "1"), scan(capsys, "--jobs", "3")
    assert one == several
    assert one[0] == 1
    assert [finding["path"] for finding in one[1]["findings"]] == [f"{n:02}.py" for n in range(0, 90, 9)]
    assert [problem["path"] for problem in one[1]["problems"]] == ["bad.ipynb"]


def test_processes_started_anew_beside_a_thread_find_the_same(folder, capsys):
    one = scan(capsys, "--jobs", "1")
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    try:
        assert scan(capsys, "--jobs", "2") == one
    finally:
        stop.set()
        thread.join()


SCAN = """
import os, pathlib, time
from qsec_jupyter.scan.files.crew import Crew
from qsec_jupyter.scan.files.model import Item, Outcome

class Slow:
    def scan(self, item):
        print(os.getpid(), flush=True)
        time.sleep(1)
        return Outcome(item.path, item.number)
    def close(self):
        pass

items = [Item(f"{number}.py", 2_000_000, number=number) for number in range(99)]
list(Crew(Slow, Slow(), 2).scan(items))
"""


def test_processes_end_with_the_one_that_is_killed():
    with subprocess.Popen([sys.executable, "-c", SCAN], stdout=subprocess.PIPE, text=True) as parent:
        workers = [psutil.Process(int(parent.stdout.readline())) for _ in range(2)]
        parent.kill()
        _, alive = psutil.wait_procs(workers, timeout=20)
        for worker in alive:
            worker.kill()
        assert alive == []
