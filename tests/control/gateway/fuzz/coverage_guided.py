"""Feeds readers of jobs with bytes that reach new code, by atheris: ``coverage_guided.py TARGET [OPTIONS]``.

Options are libFuzzer's, such as ``-max_total_time=60``.

Targets: ``qpy`` (a file of circuits) and ``openqasm`` (a program, as text or as words one after the other).
What is neither read nor refused is a finding, and so is what is another one after its names were changed and
changed back.
"""

import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["qsec_jupyter.control.gateway.payload"]):
    import test_openqasm_fuzz as programs

    from qsec_jupyter.control.gateway.payload import circuits, qpy as files
    from qsec_jupyter.control.gateway.payload.warming import sample
    from qsec_jupyter.core.errors import Invalid

WORDS = programs.EVERY


def rename(place: files.Place) -> bytes | None:
    """Put one letter in front of each name."""
    return None if place.kind == "metadata" else b"N" + place.text.encode()


def rename_back(place: files.Place) -> bytes | None:
    """Take it away again."""
    return None if place.kind == "metadata" else place.text[1:].encode()


def qpy(data: bytes) -> None:
    """Read ``data``, change its names, and change them back."""
    try:
        file = circuits.walk(data, 10_000, listed=True)
        longer = files.rewrite(file, rename)
    except Invalid:
        return
    except files.Unsupported:
        return
    again = circuits.walk(longer, 10_000)
    assert len(again.places) == len(file.places)
    assert files.rewrite(again, rename_back) == data


def qpy_seeds() -> Iterator[bytes]:
    """Yield a circuit in each version."""
    from qiskit import qpy as writer

    for version in files.VERSIONS:
        file = io.BytesIO()
        writer.dump(sample(), file, version=version)
        yield file.getvalue()


def openqasm(data: bytes) -> None:
    """Read a program, and read it again with other names."""
    if data[:1] == b"w":
        source = "".join(WORDS[byte % len(WORDS)] for byte in data[1:])
    else:
        source = data[1:].decode("utf-8", "ignore")
    programs.check_names(source)


def openqasm_seeds() -> Iterator[bytes]:
    """Yield programs in both forms."""
    numbers = {word: number for number, word in enumerate(WORDS)}
    for source, pieces in zip(programs.SOURCES, programs.PIECES, strict=True):
        yield b"t" + source.encode()
        yield b"w" + bytes(map(numbers.__getitem__, pieces))


TARGETS = {"qpy": (qpy, qpy_seeds), "openqasm": (openqasm, openqasm_seeds)}

if __name__ == "__main__":
    target, seeds = TARGETS[sys.argv.pop(1)]
    folder = Path(tempfile.mkdtemp())
    for number, seed in enumerate(seeds()):
        (folder / str(number)).write_bytes(seed)
    atheris.Setup([*sys.argv, "-timeout=10", "-rss_limit_mb=1024", str(folder)], target)
    atheris.Fuzz()
