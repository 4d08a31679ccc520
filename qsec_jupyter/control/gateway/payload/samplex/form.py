"""The form of a samplex: ``samplomatic.serialization``, versions 1 to 4. What has another form is refused."""

from __future__ import annotations

from collections.abc import Mapping

from .arrays import ARRAY
from .fields import (
    Reader,
    alphabet,
    array,
    as_it_is,
    being,
    description,
    dimension,
    dimensions,
    every,
    fields,
    fitting,
    gate,
    interface,
    kind,
    number,
    operands,
    reference,
    table,
    virtual,
)

Form = Mapping[str, Reader]
"""What stands in each field of an object."""


def _one(identity: str, **parts: Reader) -> Form:
    """Return the form of an object that says what it is, and in which version it is written."""
    return {"id": fitting(identity), "ssv": number, **parts}


_count, _flag = being(int), being(bool)
_numbers = fitting(r"\[[\d,]*\]")
_slice = fitting(rf"\[-?\d+,(?:-?\d+|null),(?:-?\d+|null)\]|{ARRAY.pattern}")
_register = fields(_one("V[0-3]", array=array), {"type": kind, "array": array})
_basis = fields(_one("B0", alphabet=alphabet, action=_register))
_distribution = fields(
    {"type": fitting("haar_u2|pauli_uniform"), "num_subsystems": _count},
    _one("D[0-3]", num_subsystems=_count),
    _one("D4", num_subsystems=_count, gate_name=gate),
    _one("D5", num_subsystems=_count, paulis=array),
)
_tensor = _one(
    "S1",
    name=interface,
    description=description,
    dtype=fitting(r"bool|(?:complex|u?int|float)\d{1,3}"),
    shape=dimensions,
    broadcastable=_flag,
    optional=_flag,
)
_map = _one("S0", name=interface, num_qubits=_count, num_terms=dimension)
_specifications = every(interface, fields(_map, _tensor))

_PLAIN: Form = {
    "ssv": number,
    "samplomatic_version": fitting(r"\d[0-9a-z.+]{0,60}"),
    "param_table": as_it_is,  # it is read by itself
    "input_specification": _specifications,
    "output_specification": _specifications,
    "passthrough_params": fitting(r"None|\[\[[\d,]*\],\[[\d,]*\]\]"),
}
HEADERS = _PLAIN, {**_PLAIN, "lookup_tables": every(table, array)}
"""What stands in front of a graph; from version 4 on with tables."""

_PRODUCT = {"operand": _register, "register_name": virtual}
_PAST = {"op_name": gate, "subsystem_idxs": array, "register_name": virtual}
_ANGLES = {"operand": gate, "param_indices": _numbers, "register_name": virtual}

_FIELDS: Mapping[str, Form] = {
    "N0": {
        "register_name": virtual,
        "basis_change": _basis,
        "basis_ref": interface,
        "num_subsystems": number,
    },
    "N1": {
        "template_param_names": interface,
        "template_idxs": array,
        "register_type": kind,
        "register_name": virtual,
        "subsystem_idxs": array,
        "synth": fitting("RzRxSynth|RzSxSynth"),
    },
    "N2": {
        "register_name": virtual,
        "output_name": interface,
        "subsystem_indices": array,
        "output_indices": array,
    },
    "N3": {
        "output_type": kind,
        "output_register_name": virtual,
        "num_output_subsystems": number,
        "operands": every(virtual, operands),
    },
    "N4": {
        "existing_name": virtual,
        "existing_type": kind,
        "new_name": virtual,
        "new_type": kind,
        "num_subsystems": number,
        "remove_existing": fitting("True|False"),
    },
    "N5": {
        "register_name": virtual,
        "sign_register_name": virtual,
        "noise_ref": reference,
        "modifier_ref": reference,
        "num_subsystems": number,
    },
    "N6": _PRODUCT,
    "N7": _PRODUCT,
    "N8": _PAST,
    "N9": {
        "input_type": kind,
        "output_type": kind,
        "input_register_name": virtual,
        "output_register_name": virtual,
        "slice_idxs": _slice,
        "is_slice": fitting("true|false"),
    },
    "N10": {"lhs_register_name": virtual, "rhs_register_name": virtual, "distribution": _distribution},
    "N11": _ANGLES,
    "N12": _ANGLES,
    "N13": _PAST,
    "N14": {"register_name": virtual, "distribution": _distribution},
    "N15": _PAST,
}

NODES: Mapping[str, Form] = {name: _one(name, **parts) for name, parts in _FIELDS.items()}
"""For each kind of node what stands in its fields."""

EXPRESSIONS = _one("P", qpy=number, circuit_base64=as_it_is)
"""The expressions of a samplex's parameters, as QPY."""
