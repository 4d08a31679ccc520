"""Runs are recorded under the oldest Qiskit that is supported as under ours: the same tests, run by it."""

import os
import subprocess
from pathlib import Path

import pytest
from test_circuit_hash_versions import python_with

ROOT = Path(__file__).parents[2]
TESTS = (
    "kernel/test_kernel_execution.py",
    "kernel/test_kernel_compilation.py",
    "kernel/test_kernel_details.py",
    "provenance",
)
OTHERS = (
    "qiskit-aer<0.18",
    "pytest",
    "pytest-asyncio",
    "pytest-timeout",
    "pytest-jupyter[server]",
    "hypothesis",
    "jsonschema",
)
DEPENDENCIES = ("-r", str(ROOT / "pyproject.toml"), "--extra", "control", "--extra", "quantum")
# Qiskit 1.4 and the Aer of its time warn of what Qiskit 2 has taken away.
OPTIONS = (
    "-q",
    "-p",
    "no:cacheprovider",
    "-W",
    "default::DeprecationWarning",
    "-W",
    "default::PendingDeprecationWarning",
)


@pytest.mark.timeout(900)
def test_recording_under_the_oldest_qiskit():
    python = python_with("1.4", *OTHERS, *DEPENDENCIES)
    command = [python, "-m", "pytest", *OPTIONS, *(str(ROOT / "tests" / one) for one in TESTS)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=env)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
