"""Fixtures for every test; being here also puts this folder's modules within reach of the tests."""

import postgres_server
import vault_server as vaults
from braket_server import braket_server
from gateway_child import gated, shared_gated, start_gated
from jupyter_process import gated_jupyter, jupyter
from postgres_server import postgres
from sandbox_server import sandbox, shared_sandbox, start_sandbox
from vault_server import broker_at, engines_vault, own_vault, tls_vault, vault, vault_server

__all__ = [
    "braket_server",
    "broker_at",
    "engines_vault",
    "gated",
    "gated_jupyter",
    "jupyter",
    "own_vault",
    "postgres",
    "sandbox",
    "shared_gated",
    "shared_sandbox",
    "start_gated",
    "start_sandbox",
    "tls_vault",
    "vault",
    "vault_server",
]


def pytest_make_parametrize_id(config, val, argname):
    """A random key names a test the same in each of the processes that share the tests out."""
    return argname if isinstance(val, bytes) else None


def pytest_terminal_summary(terminalreporter):
    """Say what did not run for want of a real server."""
    for module in (vaults, postgres_server):
        module.pytest_terminal_summary(terminalreporter)
