"""Annotations of boxes in QPY.

Those of samplomatic are read, since names stand in them; their form is that of ``ibm_quantum_schemas``'
``annotation_serializer``. Of all others it is said that they are seen.
"""

from __future__ import annotations

from .cursor import INT16, INT32, INT64, Cursor, Malformed, NotHidden, Size, Unsupported

_READ = "samplomatic"
_NAME, _WORD = True, False
_FORMS = {
    "ChangeBasis": (_WORD, _WORD, _NAME),
    "InjectNoise": (_NAME, _NAME),
    "Tag": (_NAME,),
    "Twirl": (_WORD, _WORD, _WORD),
}
"""For each annotation its parts: names that a user chose, and words that say how it is carried out."""

_WORDS = frozenset(
    {
        *("rzsx", "rzrx", "measure", "prepare", "left", "right"),
        *("pauli", "balanced_pauli", "local_c1", "local_pauli", "phase"),
    }
)
_WHY = "the vendor's service acts on it"


def read_namespaces(cursor: Cursor) -> list[str]:
    """Read the table of a circuit's kinds of annotations; return their names."""
    found = []
    for _ in range(cursor.number(INT32)):
        size, state = cursor.number(INT32), cursor.number(INT64)
        name, kept = cursor.text(size), cursor.skip(state)
        if name != _READ or kept:
            cursor.bare.append(NotHidden("annotation", f"{name} {_shown(kept)}".strip(), _WHY))
        found.append(name)
    return found


def read_annotations(cursor: Cursor) -> None:
    """Read the annotations of an instruction."""
    for _ in range(cursor.number(INT32)):
        index = cursor.number(INT32)
        size = Size(cursor.at, INT64)
        length = cursor.number(INT64)
        if index >= len(cursor.namespaces):
            raise Malformed("an annotation of no kind")
        if cursor.namespaces[index] == _READ:
            outside = cursor.enter(length, size)
            _samplomatic(cursor)
            cursor.leave(outside)
        else:
            cursor.bare.append(NotHidden("annotation", _shown(cursor.skip(length)), _WHY))


def _samplomatic(cursor: Cursor) -> None:
    form = _FORMS.get(cursor.text(cursor.number(INT16)))
    if form is None:
        raise Unsupported("an annotation of an unknown kind")
    sizes = [Size(cursor.at + 8 * place, INT64) for place in range(len(form))]
    lengths = [cursor.number(INT64) for _ in form]
    for what, size, length in zip(form, sizes, lengths, strict=True):
        if what is _NAME:
            cursor.name("reference", length, size)
        elif (word := cursor.text(length)) not in _WORDS:
            cursor.bare.append(NotHidden("annotation", word, _WHY))


def _shown(data: bytes) -> str:
    return "".join(letter for letter in data.decode("utf-8", "replace") if letter.isprintable())
