"""OpenQASM that was drawn: it is read or refused, hiding changes names only, and figures are upper bounds."""

import json
import os
import re
import time
from pathlib import Path

import pytest

pytest.importorskip("braket.default_simulator")

from braket.default_simulator.openqasm.interpreter import Interpreter
from hypothesis import HealthCheck, given, settings, strategies as st

from qsec_jupyter.control.gateway.payload.braket.pragmas import PRAGMAS
from qsec_jupyter.control.gateway.payload.openqasm import Program
from qsec_jupyter.core.errors import Invalid

MANY = int(os.environ.get("QSEC_FUZZ", "1"))
drawn = settings(max_examples=150 * MANY, deadline=None, suppress_health_check=list(HealthCheck))
VECTORS = Path(__file__).parents[4] / "docs" / "formats" / "openqasm-hash-vectors.json"

MORE = [
    """defcalgrammar "openpulse"; cal { input float freq; frame f = newframe(p, 1.0, 0.3); play(f, w);
    waveform w = {1, 0.5im}; delay[2us] f; for int i in [0:3] { play(f, w); } } defcal measure $0 -> bit {
    return capture_v0(f); } defcal rx(angle t) $0 { shift_phase(f, t); } rx(0.1) $0; bit b = measure $0;""",
    """const int n = 3; qubit[n + 1] q; let a = q[0:2] ++ q[{3}];
    for uint[4] i in [0:n] { pow(2) @ x q[i]; h a; }""",
    """def f(qubit[2] q, int k) -> bit { h q; return measure q[0]; } qubit[2] q; bit c; c = f(q, 2);
    switch (c) { case 0 { x q; } default { z q[1]; } } if (c == 1) { reset q; } else { y q[0]; }""",
]
SOURCES = [one["source"] for one in json.loads(VECTORS.read_text())["vectors"]] + MORE
PIECES = [re.findall(r"\s+|\w+|[^\w\s]", source) for source in SOURCES]
EVERY = sorted({piece for pieces in PIECES for piece in pieces})


@st.composite
def programs(draw) -> str:
    """Draw a program with a few words of it taken away, added, changed, or moved."""
    pieces = list(draw(st.sampled_from(PIECES)))
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, len(pieces)))
        kind = draw(st.sampled_from("dicmo"))
        if kind == "d":
            del pieces[at : at + draw(st.integers(1, 3))]
        elif kind == "i":
            pieces.insert(at, draw(st.one_of(st.sampled_from(EVERY), st.text(max_size=3))))
        elif kind == "c":
            pieces[at : at + 1] = [draw(st.sampled_from(EVERY))]
        else:
            other = pieces if kind == "m" else draw(st.sampled_from(PIECES))
            start = draw(st.integers(0, len(other)))
            pieces[at:at] = other[start : start + draw(st.integers(1, 20))]
    return "".join(pieces)


def read(source: str) -> Program | None:
    start = time.process_time()
    try:
        return Program(source, 10_000, PRAGMAS)
    except Invalid:
        return None
    finally:
        assert time.process_time() - start < 2


def check_names(source: str) -> None:
    """Make sure that a program, where it is read, is the same with other names."""
    program = read(source)
    if program is None:
        return
    hidden = read(program.renamed(lambda name: f"qsec_{name}"))
    assert hidden is not None
    assert hidden.circuit() == program.circuit()
    assert hidden.pulses == program.pulses
    assert hidden.renamed(lambda name: name.removeprefix("qsec_")) == program.renamed(str)
    assert hidden.names == [f"qsec_{name}" for name in program.names]


@drawn
@given(st.one_of(programs(), st.text(max_size=200)))
def test_what_is_read_is_the_same_with_other_names(source) -> None:
    check_names(source)


@drawn
@given(programs())
def test_comments_and_layout_say_nothing(source) -> None:
    program = read(source)
    if program is not None:
        again = read(program.renamed(str))
        assert again is not None
        assert again.circuit() == program.circuit()


@st.composite
def statements(draw, level: int, indices: tuple[str, ...]) -> str:
    """Draw what Braket's interpreter carries out, on a register ``q`` of four and a ``r`` of two."""
    kind = draw(st.sampled_from("ggggpbdfsi" if level else "gggpbd"))
    index = draw(st.sampled_from(("0", "1", "n - 2", *indices)))
    if kind == "g":
        return f"h q[{index}];"
    if kind == "p":
        return f"pow({draw(st.integers(-3, 3))}) @ mine q[{index}], q[3];"
    if kind == "b":
        return draw(
            st.sampled_from(["h q;", "cnot q[0:1], r;", "x q[0:2:3];", "cnot q[2], r;", "mine r[0], r[1];"])
        )
    if kind == "d":
        return draw(st.sampled_from(["both(r);", "twice(q[3]);"]))
    inner = " ".join(draw(st.lists(statements(level - 1, indices), max_size=3)))
    if kind == "i":
        return f"if ({index} == {draw(st.integers(0, 2))}) {{ {inner} }} else {{ x r[1]; }}"
    name = f"i{level}"
    inner += " ".join(draw(st.lists(statements(level - 1, (*indices, name)), max_size=3)))
    if kind == "s":
        return f"for int[8] {name} in {{0, 1, 2}} {{ {inner} }}"
    first, last = draw(st.integers(0, 2)), draw(st.sampled_from(["0", "2", "n - 1"]))
    return f"for int[8] {name} in [{first}:{last}] {{ {inner} }}"


HEAD = """OPENQASM 3.0; const int[8] n = 3; qubit[4] q; qubit[2] r;
gate mine a, b { h a; cnot a, b; pow(2) @ x b; }
def twice(qubit p) { mine p, q[0]; h p; h p; }
def both(qubit[2] p) { h p; for int[8] k in [0:n] { cnot p[0], p[1]; } }
"""


@settings(parent=drawn, max_examples=60 * MANY)
@given(st.lists(statements(2, ()), min_size=1, max_size=6))
def test_nothing_is_carried_out_that_was_not_counted(body) -> None:
    source = HEAD + "\n".join(body)
    found = Program(source, 1_000_000, PRAGMAS).circuit()
    done = Interpreter().build_circuit(source)
    levels: dict[int, int] = {}
    for one in done.instructions:
        level = max(levels.get(bit, 0) for bit in one.targets) + 1
        levels.update(dict.fromkeys(one.targets, level))
    assert len(done.instructions) <= found.size
    assert max(levels.values(), default=0) <= found.depth
    assert done.num_qubits <= found.width
