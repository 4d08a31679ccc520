"""What ``qsec scan`` takes as a user sees it, start-up included, beside other scanners that are installed.

Real notebooks are used where ``QSEC_REAL_NOTEBOOKS`` names a folder of them, else notebooks drawn for this.
A peer is whatever of ``kingfisher``, ``ripsecrets``, ``gitleaks`` and ``detect-secrets`` is on PATH; each is
run in turn with us, as its users call it.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

from .bench_save import _Maker

COUNT, SIZE = 500, 71_500_000
ROUNDS = 7
GIGABYTE = 1_000_000_000
MEMORY_TARGET = 200.0
_SLOW = 10.0  # seconds; a peer that takes longer is run once
_QSEC = str(Path(sys.executable).parent / "qsec")
_PEERS: dict[str, Callable[[str], list[str]]] = {
    "kingfisher": lambda path: ["kingfisher", "scan", path, "--no-validate"],
    "ripsecrets": lambda path: ["ripsecrets", path],
    "gitleaks": lambda path: ["gitleaks", "dir", path, "--no-banner"],
    "detect-secrets": lambda path: ["detect-secrets", "scan", "--all-files", path],
}


def run() -> Iterator[dict[str, Any]]:
    """Yield the rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # With cached bytecode, as an installed package has it.
        environment = {
            **os.environ,
            "QSEC_HOME": str(folder / "home"),
            "PYTHONPYCACHEPREFIX": f"{name}/bytecode",
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        many, one = folder / "many", folder / "one.ipynb"
        _fill(many, one)
        _time([_QSEC, "scan", str(one)], environment)  # compiles the rules, once a version
        size = sum(file.stat().st_size for file in many.rglob("*.ipynb")) / 1e6
        yield from _compare(f"qsec scan, {COUNT} notebooks ({size:.1f} MB)", str(many), environment, 1.0)
        yield from _compare("qsec scan, one notebook of 0.1 MB", str(one), environment, 0.16)
        yield from _gigabyte(many, folder / "gigabyte", environment)


def _compare(name: str, path: str, environment: dict[str, str], target: float) -> Iterator[dict[str, Any]]:
    """Yield our time, and the ratio to each peer's, measured in turn."""
    ours = [_QSEC, "scan", path]
    own = statistics.median(_time(ours, environment) for _ in range(ROUNDS))
    yield _row(name, own, "s", f"<= {target} s", own <= target)
    for peer, command in _PEERS.items():
        if shutil.which(peer) is None:
            continue
        first = _time(command(path), environment)
        rounds = 0 if first > _SLOW else ROUNDS
        pairs = [(_time(ours, environment), _time(command(path), environment)) for _ in range(rounds)]
        pairs = pairs or [(own, first)]
        ratio = statistics.median(a for a, _ in pairs) / statistics.median(b for _, b in pairs)
        yield _row(f"{name}, against {peer}", ratio, "x", "<= 1 x", ratio <= 1)


def _gigabyte(many: Path, folder: Path, environment: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield how time and memory grow from one copy of the folder to a gigabyte."""
    size = sum(file.stat().st_size for file in many.rglob("*.ipynb"))
    copies = max(GIGABYTE // size, 1)
    for number in range(copies):
        shutil.copytree(many, folder / str(number), copy_function=os.link)
    small = statistics.median(_time([_QSEC, "scan", str(many)], environment) for _ in range(3))
    start = time.perf_counter()
    process = psutil.Popen([_QSEC, "scan", str(folder)], env=environment, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, _memory(process))
        time.sleep(0.05)
    growth = (time.perf_counter() - start) / small / copies
    yield _row("1 GB of notebooks, time a copy against one alone", growth, "x", "<= 1.1 x", growth <= 1.1)
    megabytes = peak / 1e6
    yield _row(
        "1 GB of notebooks, memory of all processes",
        megabytes,
        "MB",
        f"<= {MEMORY_TARGET:.0f} MB",
        megabytes <= MEMORY_TARGET,
    )


def _memory(process: psutil.Process) -> int:
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().uss
        except psutil.Error:
            continue
    return total


def _time(command: list[str], environment: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return time.perf_counter() - start


def _fill(many: Path, one: Path) -> None:
    """Lay out ``COUNT`` notebooks of about ``SIZE`` bytes in folders, and one of 0.1 MB."""
    source = random.Random(7)
    texts = _real(source) or _drawn(source)
    for number, text in enumerate(texts):
        file = many / f"{number % 25:02}" / f"{number:03}.ipynb"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
    one.write_bytes(min(texts, key=lambda text: abs(len(text) - 100_000)))


def _real(source: random.Random) -> list[bytes]:
    """Return real notebooks, exchanged until they add up; empty without enough of them."""
    folder = os.environ.get("QSEC_REAL_NOTEBOOKS")
    files = [(file, file.stat().st_size) for file in sorted(Path(folder).rglob("*.ipynb"))] if folder else []
    if len(files) < COUNT:
        return []
    source.shuffle(files)
    chosen, rest = files[:COUNT], files[COUNT:]
    total = sum(size for _, size in chosen)
    for _ in range(4000 if rest else 0):
        i, j = source.randrange(COUNT), source.randrange(len(rest))
        changed = total - chosen[i][1] + rest[j][1]
        if abs(changed - SIZE) < abs(total - SIZE):
            chosen[i], rest[j], total = rest[j], chosen[i], changed
    return [file.read_bytes() for file, _ in chosen]


def _drawn(source: random.Random) -> list[bytes]:
    """Return notebooks whose sizes spread as those of real ones do: most are small, few are large."""
    weights = [source.lognormvariate(0, 1.3) for _ in range(COUNT)]
    maker = _Maker(7)
    # Written with an indent, a fifth is added.
    sizes = [max(4_000, int(SIZE / 1.19 * weight / sum(weights))) for weight in weights]
    return [json.dumps(maker.notebook(size), indent=1).encode() for size in sizes]


def _row(name: str, value: float, unit: str, target: str, ok: bool) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": ok}
