"""Feeds the reader of QPY with bytes that reach new code, by atheris.

Arguments are libFuzzer's, such as ``-max_total_time=60``. What is neither read nor refused is a finding,
and so is a file that is another one after its names were changed and changed back.
"""

import io
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["qsec_jupyter.control.gateway.payload"]):
    from qsec_jupyter.control.gateway.payload import circuits, qpy
    from qsec_jupyter.control.gateway.payload.warming import sample
    from qsec_jupyter.core.errors import Invalid


def rename(place: qpy.Place) -> bytes | None:
    """Put one letter in front of each name."""
    return None if place.kind == "metadata" else b"N" + place.text.encode()


def rename_back(place: qpy.Place) -> bytes | None:
    """Take it away again."""
    return None if place.kind == "metadata" else place.text[1:].encode()


def read(data: bytes) -> None:
    """Read ``data``, change its names, and change them back."""
    try:
        file = circuits.walk(data, 10_000, listed=True)
        longer = qpy.rewrite(file, rename)
    except Invalid:
        return
    except qpy.Unsupported:
        return
    again = circuits.walk(longer, 10_000)
    assert len(again.places) == len(file.places)
    assert qpy.rewrite(again, rename_back) == data


def seeds() -> str:
    """Return a folder with a circuit in each version."""
    from qiskit import qpy as writer

    folder = Path(tempfile.mkdtemp())
    for version in qpy.VERSIONS:
        file = io.BytesIO()
        writer.dump(sample(), file, version=version)
        (folder / str(version)).write_bytes(file.getvalue())
    return str(folder)


atheris.Setup([*sys.argv, seeds()], read)
atheris.Fuzz()
