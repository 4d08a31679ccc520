"""Recall and false alarms of the product and of public scanners on the same planted set.

``python -m bench accuracy`` (all peers that are on PATH) or ``python -m bench.bench_accuracy --notebooks 60``

A peer counts generously: a secret is found when any text that it reports for the file shows a half of it,
or is a good part of it. The product counts by what is left after redaction. Issued values are left out,
because no peer can know them. Peers are optional; one that is not installed is named as skipped.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "accuracy"))

from leaks import View
from measure import Recall, Share, false_alarms, recall
from planting.model import Planted, Sample
from planting.notebooks import clean, samples
from product import product

Reports = dict[str, list[str]]
"""File name to the texts that a scanner reported for it, once each."""

RECALL, ALARMS = 97.0, 0.2
"""What we promise, in per cent."""


def gitleaks(folder: Path) -> Reports:
    """https://github.com/gitleaks/gitleaks (Go)."""
    report = folder.parent / "gitleaks.json"
    _call("gitleaks", "dir", str(folder), "--report-format=json", f"--report-path={report}", "--no-banner")
    found = json.loads(report.read_text())
    return _grouped((Path(item["File"]).name, item["Secret"]) for item in found)


def kingfisher(folder: Path) -> Reports:
    """https://github.com/mongodb/kingfisher (PyPI: kingfisher-bin); nothing is validated against a vendor."""
    options = ("--format=json", "--no-validate", "--no-update-check", "--no-dedup")
    first = _call("kingfisher", "scan", str(folder), *options).splitlines()[0]  # the second line sums up
    found = [item["finding"] for item in json.loads(first)["findings"]]
    return _grouped((Path(item["path"]).name, item["snippet"]) for item in found)


def ripsecrets(folder: Path) -> Reports:
    """https://github.com/sirwart/ripsecrets (cargo)."""
    lines = _call("ripsecrets", str(folder)).splitlines()
    pairs = (line.partition(".ipynb:") for line in lines if ".ipynb:" in line)
    return _grouped((Path(file + ".ipynb").name, text) for file, _, text in pairs)


def detect_secrets(folder: Path) -> Reports:
    """https://github.com/Yelp/detect-secrets with its default plugins."""
    code = (
        "import sys, json, pathlib\n"
        "from detect_secrets import SecretsCollection\n"
        "from detect_secrets.settings import default_settings\n"
        "found = SecretsCollection()\n"
        "with default_settings():\n"
        "    for path in pathlib.Path(sys.argv[1]).iterdir():\n"
        "        found.scan_file(str(path))\n"
        "print(json.dumps([(name, secret.secret_value) for name, secret in found]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, check=True, text=True
    )
    return _grouped((Path(name).name, text) for name, text in json.loads(done.stdout))


PEERS: dict[str, tuple[str | None, Callable[[Path], Reports]]] = {
    "gitleaks": ("gitleaks", gitleaks),
    "Kingfisher": ("kingfisher", kingfisher),
    "ripsecrets": ("ripsecrets", ripsecrets),
    "detect-secrets": (None, detect_secrets),
}
"""Name to the program that must be on PATH, if any, and how it is asked."""


def _call(*command: str) -> str:
    """Run a scanner; findings make it exit with a code of its own, so the code says nothing."""
    return subprocess.run(command, capture_output=True, check=False, text=True, timeout=600).stdout


def _grouped(pairs: Iterator[tuple[str, str]]) -> Reports:
    reports: Reports = defaultdict(list)
    for name, text in pairs:
        if text not in reports[name]:
            reports[name].append(text)
    return reports


def reported(planted: Planted, texts: list[str], view: View) -> bool:
    """Say whether one of the reported texts gives the secret or is a good part of it."""
    part = planted.format.secret_part(planted.value)
    return any(view.shows(fragment) for fragment in planted.fragments) or any(
        len(text) >= max(8, len(part) // 3) and text in planted.value for text in texts
    )


def measure_peer(
    ask: Callable[[Path], Reports], planted: list[Sample], innocent: list[Sample]
) -> tuple[Recall, Share]:
    """Let a peer read both sets as files on disk."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "set"
        folder.mkdir()
        for sample in (*planted, *innocent):
            text = json.dumps(sample.content, indent=1, ensure_ascii=False)
            (folder / sample.path).write_text(text + "\n", encoding="utf-8")
        reports = ask(folder)
    found, alarms = Recall(), Share()
    for sample in planted:
        texts = reports.get(sample.path, [])
        view = View(texts)
        for secret in sample.planted:
            if secret.kind != "issued":
                found.add(secret, reported(secret, texts, view))
    for sample in innocent:
        alarms.hits += len(reports.get(sample.path, ()))
        alarms.total += len(sample.innocents)
    return found, alarms


def _row(name: str, value: float, target: str = "", ok: bool = True) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": "%", "target": target, "ok": ok}


def _rows(name: str, found: Recall, alarms: Share, ours: bool) -> Iterator[dict[str, Any]]:
    hits = sum(share.hits for kind, share in found.by_class.items() if kind != "issued")
    total = sum(share.total for kind, share in found.by_class.items() if kind != "issued")
    rate = 100 * hits / total
    yield _row(f"secrets found, {name}", rate, f">= {RECALL}" if ours else "", not ours or rate >= RECALL)
    for kind in ("structured", "opaque"):
        yield _row(f"  {kind}", 100 * found.by_class[kind].rate)
    rate = 100 * alarms.rate
    yield _row(
        f"  negatives flagged, {name}", rate, f"<= {ALARMS}" if ours else "", not ours or rate <= ALARMS
    )


def run(seed: int = 20261124, notebooks: int = 150) -> Iterator[dict[str, Any]]:
    """Yield the rows of the product and of each peer that is installed."""
    planted, innocent = list(samples(seed, notebooks)), list(clean(seed + 2, notebooks // 3))
    with tempfile.TemporaryDirectory() as folder:
        scan = product(planted, Path(folder))
        yield from _rows(
            "this project", recall(planted, scan)[0], false_alarms(innocent, scan).overall, ours=True
        )
    for name, (program, ask) in PEERS.items():
        if program and not shutil.which(program):
            print(f"skipped  {name}: {program} is not on PATH", flush=True)
            continue
        yield from _rows(name, *measure_peer(ask, planted, innocent), ours=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--notebooks", type=int, default=150)
    args = parser.parse_args()
    for row in run(args.seed, args.notebooks):
        print(f"{row['name']:<48} {row['value']:>7.2f} {row['unit']} {row['target']}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
