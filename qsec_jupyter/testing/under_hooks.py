"""A pytest plugin that runs any suite under our hooks: ``-p qsec_jupyter.testing.under_hooks``.

Science must not notice us, so the suites of Qiskit, IPython's kernel and others are run with and without
this; ``python -m qsec_jupyter.testing`` does both and compares test by test.

Hooked are the frameworks that the tests import, and every kernel that they start through jupyter_client
(redaction, channel and recording). A kernel started in another way is not.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

from ..kernel import channel, execution, extension
from ..server import provisioner
from .sink import Sink

_sink = Sink()
_MOST_GAPS = 10


def pytest_configure(config: pytest.Config) -> None:
    """Put the hooks on before any test module is imported."""
    os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] = provisioner.NAME
    provisioner.QsecProvisioner._sockets = lambda _: _sink  # type: ignore[assignment, method-assign, return-value]
    channel.mine = channel.Channel(_sink.open("pytest"))
    extension.watch()


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, Any, Any]:
    """Wait for the last records once the tests are over."""
    result = yield
    execution.stop(5.0)
    return result


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say what was recorded, so that a run without hooks cannot pass for one with them."""
    counts = _sink.counts
    terminalreporter.section("qsec hooks")
    terminalreporter.line(f"{counts['kernel'] - 1} kernels started")
    terminalreporter.line(
        f"{counts['intent']} runs begun, {counts['completion']} ended, {counts['gap']} gaps"
    )
    for what, times in _sink.gaps.most_common(_MOST_GAPS):
        terminalreporter.line(f"{times:6} x {what}")
