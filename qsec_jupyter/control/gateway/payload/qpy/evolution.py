"""The definition of a Pauli evolution in QPY: operators, a time, and how it is synthesised."""

from __future__ import annotations

import json
from struct import Struct

from . import values
from .cursor import INT64, Cursor, Malformed, Size, Unsupported

_EVOLUTION = Struct("!Q?1cQQ")
_OBSERVABLE = Struct("!IQQQQ")
_SPARSE = 17
"""From this version on an operator may be a sparse observable."""

_SYNTHESES = frozenset({"LieTrotter", "MatrixExponential", "ProductFormula", "QDrift", "SuzukiTrotter"})


def evolution(cursor: Cursor) -> None:
    """Read the definition.

    Raises:
        Malformed, Unsupported: What stands in its way.
    """
    at = cursor.at
    operators, _, key, time, synthesis = cursor.take(_EVOLUTION)
    for _ in range(operators):  # type: ignore[call-overload]
        if cursor.version >= _SPARSE and cursor.skip(1) == b"\x01":
            _, *lengths = cursor.take(_OBSERVABLE)  # in bytes, whatever the documentation says
            for length in lengths:
                cursor.skip(length)  # type: ignore[arg-type]
        elif not cursor.skip(cursor.number(INT64)).startswith(b"\x93NUMPY"):
            raise Malformed("an array that is none")
    values.value(cursor, key, time, Size(at + 10, INT64), values.no_circuit)
    told = json.loads(cursor.skip(synthesis))  # type: ignore[arg-type]
    if not isinstance(told, dict) or told.get("class") not in _SYNTHESES:
        raise Unsupported("an evolution that is synthesised in an unknown way")
