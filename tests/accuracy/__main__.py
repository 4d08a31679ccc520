"""``python tests/accuracy``: recall and false alarms of the product on the planted set, by class.

Nothing printed is a value. ``--seed`` gives another set of the same kind; a rule that was written for one
set shows on the next.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from measure import Alarms, Recall, false_alarms, real_notebooks, recall
from planting.files import texts
from planting.notebooks import clean, samples
from product import product


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/accuracy", description=__doc__)
    parser.add_argument("--seed", type=int, default=20261124)
    parser.add_argument("--notebooks", type=int, default=300)
    parser.add_argument("--secrets", type=int, default=5, help="per notebook")
    parser.add_argument("--real", type=Path, help="folder of clean real notebooks")
    parser.add_argument("--hosts", type=Path, help="plant among the cells of the real notebooks there")
    parser.add_argument("--write", type=Path, help="write notebooks and files there instead of scanning")
    args = parser.parse_args()
    planted = list(samples(args.seed, args.notebooks, args.secrets, hosts(args.hosts)))
    files = list(texts(args.seed + 1))
    if args.write:
        return write([*planted, *files, *clean(args.seed + 2)], args.write)
    with tempfile.TemporaryDirectory() as folder:
        scan = product(planted, Path(folder))
        start = time.perf_counter()
        found, mixed = recall(planted, scan)
        print(f"# {args.notebooks} notebooks in {time.perf_counter() - start:.1f} s")
        show(found)
        print("\n# text files")
        show(recall(files, scan)[0])
        show_alarms("negatives among secrets", mixed)
        show_alarms("negatives alone", false_alarms(clean(args.seed + 2), scan))
        if args.real:
            alarms, size = real_notebooks(args.real, scan)
            print(
                f"\n# real notebooks: {alarms} findings in {size:.1f} MB = {alarms / max(size, 1e-9):.3f} per MB"
            )
    return 0


def hosts(folder: Path | None) -> list[dict[str, Any]]:
    """Return the small notebooks of nbformat 4 below ``folder``."""
    found = []
    for path in sorted(folder.rglob("*.ipynb")) if folder else ():
        notebook = json.loads(path.read_bytes()) if path.stat().st_size < 500_000 else {}
        if notebook.get("nbformat") == 4:
            found.append(notebook)
    return found


def write(documents: list, folder: Path) -> int:  # type: ignore[type-arg]
    """Write the set as files, so that other scanners can read it."""
    folder.mkdir(parents=True, exist_ok=True)
    for sample in documents:
        text = (
            sample.content
            if isinstance(sample.content, str)
            else json.dumps(sample.content, indent=1, ensure_ascii=False)
        )
        (folder / sample.path).write_text(text, encoding="utf-8")
    return 0


def show(result: Recall) -> None:
    """Print shares, worst first, and the classes of what was missed."""
    print(f"overall        {result.overall}")
    for title, shares in (
        ("class", result.by_class),
        ("surface", result.by_surface),
        ("vendor", result.by_vendor),
    ):
        print(f"\n## by {title}")
        for name, share in sorted(shares.items(), key=lambda item: (item[1].rate, item[0])):
            print(f"{share}  {name}")
    print("\n## missed: count, class, surface, shape, format")
    for (kind, surface, shape, form), count in result.missed.most_common():
        print(f"{count:4}  {kind} | {surface} | {shape} | {form}")


def show_alarms(title: str, alarms: Alarms) -> None:
    """Print flagged negatives by kind."""
    print(f"\n# {title}: {alarms.overall}  (alarms beside redactions: {alarms.extra})")
    for kind, share in sorted(alarms.by_kind.items(), key=lambda item: -item[1].rate):
        if share.hits:
            print(f"{share}  {kind}")


if __name__ == "__main__":
    sys.exit(main())
