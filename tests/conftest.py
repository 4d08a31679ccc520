"""Fixtures for every test; being here also puts this folder's modules within reach of the tests."""

from vault_server import broker_at, own_vault, pytest_terminal_summary, vault, vault_server

__all__ = ["broker_at", "own_vault", "pytest_terminal_summary", "vault", "vault_server"]
