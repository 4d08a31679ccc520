"""The words of Braket's pragmas: verbatim boxes, unitaries, noise and results, as the SDK writes them."""

from __future__ import annotations

_WORDS = """
braket verbatim unitary noise result all x y z i h hermitian state_vector density_matrix probability
amplitude expectation variance sample adjoint_gradient bit_flip phase_flip pauli_channel depolarizing
two_qubit_depolarizing two_qubit_dephasing two_qubit_pauli_channel amplitude_damping
generalized_amplitude_damping phase_damping kraus im
"""
PRAGMAS = frozenset(_WORDS.split())
"""Any other word makes a pragma one that nobody here knows, and is refused."""
