"""What a samplex is given: numbers, arrays and maps of Paulis, by the names of its inputs."""

from __future__ import annotations

from typing import Any

from .. import refusals
from .arrays import is_array
from .fields import Name, interface


def rename_arguments(given: Any, name: Name) -> dict[str, Any]:
    """Return what a samplex is given, with other names.

    Raises:
        Invalid: ``payload.unsupported`` if something else than numbers is given.
    """
    if not isinstance(given, dict) or not all(map(_is_numbers, given.values())):
        raise refusals.unsupported("a samplex that is given something else than numbers")
    return {interface(key, name): value for key, value in given.items()}


def _is_numbers(value: Any) -> bool:
    if not isinstance(value, dict):
        return isinstance(value, (bool, int, float))
    return _is_map(value) or is_array(value)


def _is_map(value: dict[str, Any]) -> bool:
    """Say whether this is a sparse Pauli-Lindblad map."""
    return (
        set(value) == {"sparse_terms", "num_qubits"}
        and type(value["num_qubits"]) is int
        and isinstance(value["sparse_terms"], list)
        and all(map(_is_term, value["sparse_terms"]))
    )


def _is_term(term: Any) -> bool:
    if not isinstance(term, list) or len(term) != 3:  # Paulis, qubits, rate
        return False
    paulis, qubits, rate = term
    return (
        isinstance(paulis, str)
        and not paulis.strip("IXYZ")
        and isinstance(qubits, list)
        and all(type(qubit) is int for qubit in qubits)
        and isinstance(rate, (int, float))
    )
