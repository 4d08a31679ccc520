"""A decision by the shipped bundle, as the control plane makes it for each request."""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

DECISIONS = 4000


def run() -> list[dict[str, Any]]:
    """Return the rows of this module."""
    from qsec_jupyter.control.policy.bundle import Place
    from qsec_jupyter.control.policy.context import Situation
    from qsec_jupyter.control.policy.live import LivePolicy
    from qsec_jupyter.core.model import Principal

    with tempfile.TemporaryDirectory() as home:
        policy = LivePolicy(Place(Path(home)))
    somebody = Principal("ada", "Ada", "local", groups=("lab", "owners"), roles=("researcher", "approver"))
    target, situation = policy.catalogue.target("pilot"), Situation(from_kernel=True, own_kernel=True)
    times = []
    for number in range(DECISIONS):
        action = ("request", "auto_approve", "issue", "run")[number % 4]
        who = replace(
            somebody, name=f"ada{number}", subject=""
        )  # a decision that was made before is remembered
        # Time on the processor: on a shared machine the clock on the wall measures the neighbours.
        began = time.thread_time()
        policy.decide(who, action, target, situation)  # type: ignore[arg-type]
        times.append((time.thread_time() - began) * 1000)
    p50, p99 = statistics.median(times), statistics.quantiles(times, n=100)[98]
    return [
        {"name": "Policy decision, median", "value": p50, "unit": "ms", "target": "-", "ok": True},
        {"name": "Policy decision, p99", "value": p99, "unit": "ms", "target": "<= 1", "ok": p99 <= 1},
    ]
