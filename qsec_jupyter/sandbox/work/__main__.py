"""``python -m qsec_jupyter.sandbox.work``: takes jobs from standard input until it ends."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
import warnings
from typing import Any

from .frames import read, write


def main() -> None:
    """Run one job after the other. What programs print goes into the job's log, never between the frames."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while (frame := read(sys.stdin.buffer)) is not None:
        log = io.StringIO()
        with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log), warnings.catch_warnings():
            warnings.simplefilter("always")
            table, result = _run(*frame)
        write(answers, {**table, "log": log.getvalue()}, result)


def _run(order: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    from .programs import Unsupported, run

    try:
        done = run(order, body)
    except Unsupported as refused:
        return {"ok": False, "reason": str(refused), "code": refused.code}, str(refused).encode()
    except Exception as error:  # noqa: BLE001 - whatever a job does, its user is told and the next one runs
        traceback.print_exc()
        reason = f"{type(error).__name__}: {error}"
        return {"ok": False, "reason": reason[:1000], "code": 9999}, traceback.format_exc().encode()
    return {"ok": True, **done.described}, done.result


if __name__ == "__main__":
    main()
