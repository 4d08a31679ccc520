"""``make bench``: every measurement, printed as a table and written to ``bench/results/``.

Each module here has ``run()`` that returns rows of name, value, unit, target and ok. Work with us and without
us is interleaved in one run, because a shared machine drifts; a row is a ratio or a difference of medians,
never an absolute time of one side.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).parent


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", help="modules to run, e.g. save kernel; default all")
    parser.add_argument("--json", type=Path, help="where to write the rows")
    args = parser.parse_args(argv)
    names = args.names or sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    rows = []
    for name in names:
        for row in importlib.import_module(f"bench.bench_{name}").run():
            rows.append(row)
            mark = "ok    " if row["ok"] else "MISSED"
            print(
                f"{mark}  {row['name']:<52} {row['value']:>9.3f} {row['unit']:<6} {row['target']}", flush=True
            )
    target = args.json or HERE / "results" / f"{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    about = {"python": platform.python_version(), "machine": platform.machine(), "rows": rows}
    target.write_text(json.dumps(about, indent=1) + "\n")
    return 0 if all(row["ok"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
