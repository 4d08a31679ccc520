"""OpenQASM 3: what a program takes at most, what it declares, and what is refused by name."""

import json
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from qsec_jupyter.control.gateway.payload.braket.pragmas import PRAGMAS
from qsec_jupyter.control.gateway.payload.openqasm import ALGORITHM, Program
from qsec_jupyter.core.errors import Invalid

VECTORS = Path(__file__).parents[4] / "docs" / "formats" / "openqasm-hash-vectors.json"


def program(source, most=100_000) -> Program:
    return Program(f"OPENQASM 3.0;\n{source}", most, PRAGMAS)


def measured(source, most=100_000) -> tuple[int, int, int]:
    found = program(source, most).circuit()
    return found.width, found.size, found.depth


def renamed(source) -> str:
    text = program(source).renamed(lambda name: f"new_{name}")
    return " ".join(text.removeprefix("OPENQASM 3.0 ;\n").split())


def refused(source, most=100_000) -> str:
    with pytest.raises(Invalid) as error:
        program(source, most)
    return f"{error.value.code} {error.value.detail}"


vectors = json.loads(VECTORS.read_text())


@pytest.mark.parametrize("vector", vectors["vectors"], ids=lambda vector: vector["name"])
def test_the_hash_is_that_of_its_specification(vector) -> None:
    assert vectors["algorithm"] == ALGORITHM
    assert Program(vector["source"], 1000, PRAGMAS).hash() == vector["hash"]


@pytest.mark.parametrize(("number", "value"), [("0x1F", 31), ("0b11", 3), ("0o17", 15), ("1_000", 1000)])
def test_whole_numbers_are_read_in_each_notation(number, value) -> None:
    assert measured(f"qubit[{number}] z; h z[0];")[0] == value
    assert f"[ {number} ]" in renamed(f"qubit[{number}] z;")


@pytest.mark.parametrize(
    ("source", "width", "size", "depth"),
    [
        ("qubit[2] q; h q; cx q[0], q[1];", 2, 3, 2),
        ("qubit[2] q; bit c = measure q[0];", 2, 1, 1),
        ("qubit[2] q; bit[2] c = measure q;", 2, 2, 1),
        ("qubit[2] q; bit[2] c; c = measure q; measure q; measure q -> c;", 2, 6, 3),
        ("qubit[4] q; h q[1:2]; h q[{0, 3}]; h q[-1]; h q[0:2:2];", 4, 7, 2),
        ("qubit[4] q; let a = q[0:1]; let b = a ++ q[3]; h b; h a[0];", 4, 4, 2),
        ("qubit[4] q; qubit[4] r; cx q, r;", 8, 4, 1),
        ("const int n = 3; const int m = 2 * n - 1; qubit[m] q; h q[n];", 5, 1, 1),
        ("const int n = 2 ** 3; qubit[n / 4 + n % 3] q; h q;", 4, 4, 1),
        ("bit c; x $5; x $3; barrier $7;", 3, 2, 1),
        ("x $1; x $01;", 1, 2, 2),
        ("qubit q; gphase(pi); ctrl @ gphase(0.2) q; U(0, 0, 0) q; reset q;", 1, 3, 3),
        ("qubit q; pow(3) @ x q; pow(-2) @ x q; pow(0.5) @ x q;", 1, 6, 6),
        ("qubit[2] q; gate g a, b { h a; cx a, b; } g q[0], q[1]; inv @ g q[0], q[1];", 2, 4, 4),
        ("qubit[2] q; gate g a { h a; h a; } gate k a { g a; g a; } k q; pow(10) @ k q[0];", 2, 48, 44),
        ("qubit[3] q; for int i in [0:9] { h q[0]; cx q[0], q[1]; }", 3, 20, 20),
        ("qubit[3] q; for int i in [0:2:9] h q[0];", 3, 5, 5),
        ("qubit[3] q; for int i in [9:-3:0] h q[0];", 3, 4, 4),
        ("qubit[3] q; for int i in {3, 5, 8} { h q[i]; }", 3, 3, 3),
        ("qubit[3] q; bit[4] c; for bit b in c { h q[0]; }", 3, 4, 4),
        ("qubit[3] q; for int i in [0:1] { for int j in [0:4] { h q[2]; } }", 3, 10, 10),
        ("qubit[3] q; for float a in [0.0:0.1:0.3] { rx(a) q[0]; }", 3, 4, 4),
        ("qubit[3] q; for int i in [5:0] { h q[0]; }", 3, 0, 0),
        ("qubit[9] q; input int n; h q[n]; h q[n];", 9, 2, 2),
        ("qubit[2] q; bit c; c = measure q[0]; if (c) { x q[1]; } else z q[1];", 2, 3, 3),
        ("qubit[2] q; int i; switch (i) { case 0, 1 { h q[0]; } case 2{ h q[1]; } default {x q;}}", 2, 4, 2),
        ("def f(qubit[2] q, int n) -> bit {h q; return measure q[0];} qubit[2] q; bit c = f(q, 2);", 2, 3, 2),
        ("def f(qubit q) { h q; } def g(qubit q) { f(q); f(q); } qubit[3] q; g(q[1]); g(q[2]);", 3, 4, 2),
        ("def f(qubit q) { h $0; } qubit q; f(q); f(q); h $0;", 2, 3, 3),
        ("qubit[2] q; box[100ns] { delay[10ns] q[0]; x q[1]; } stretch s; delay[s] q; barrier q;", 2, 1, 1),
        ("qubit[2] q;\n#pragma braket unitary([[1, 0], [0, 1]]) q[0]\nh q[0];", 2, 2, 2),
        ("qubit[2] q;\n#pragma braket unitary([[1, 0], [0, 1]]) all\nh q[1];", 2, 2, 2),
        ("qubit q; end; break; continue; ;", 1, 0, 0),
        ("qubit q; array[int[8], 2] a = {1, 2}; a[0] += 1; a[1] <<= 2; h q;", 1, 1, 1),
    ],
)  # fmt: skip
def test_a_program_is_measured_by_what_it_takes_at_most(source, width, size, depth) -> None:
    assert measured(source) == (width, size, depth)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("qubit q; while (true) { h q; }", "while loop"),
        ("qubit q; input int n; for int i in [0:n] { h q; }", "a loop"),
        ("qubit q; int n = 3; for int i in [0:n] { h q; }", "a loop"),
        ("qubit q; for int i in f(3) { h q; }", "function that nothing defines"),
        ("qubit q; input int n; pow(n) @ x q;", "a power"),
        ("qubit q; extern f(int) -> int; h q;", "a function that is defined elsewhere"),
        ("qubit q; gate g a { g a; } g q;", "calls itself"),
        ("def f(qubit q) { f(q); } qubit q; f(q);", "calls itself"),
        ("qubit q; foo(q);", "a function that nothing defines"),
        ("qubit q; rx(angle0) q;", "a name that nothing declares"),
        ("qubit q; g q; gate g a { h a; h a; }", "after it is called"),
        ("qubit q; gate g a { h a; } gate g a { }", "defined twice"),
        ("qubit q; qubit q;", "declared twice"),
        ("qubit[n] q; h q;", "nothing declares"),
        ("input int n; qubit[n] q; h q;", "whose size is no number"),
        ("qubit[5] q; h q[7];", "no number of its register"),
        ("qubit[5] q; h q[3:1];", "no number of its register"),
        ("if (true) { qubit q; }", "within a block"),
        ("if (true) { gate g a { } }", "within a block"),
        ('include "mine.inc"; qubit q;', "a file that is included"),
        ("qubit q; @mine a secret\nh q;", "an annotation"),
        ("qubit q;\n#pragma mine does more\nh q;", "a pragma"),
        ("qubit q;\n#pragma braket noise mine(0.1) q\n", "a pragma"),
        ("duration d = durationof({ x $0; });", "a block within an expression"),
        ("qubit q; n7 q;", "nothing declares"),
        ("const int[4] n = 300; qubit q; for int i in [0:n] h q;", "a loop"),
        ("const uint[8] a = 3; const uint[8] b = 5; qubit q; for int i in [0:a - b] h q;", "a loop"),
        ("OPENQASM 2.0; qubit q;", "another version"),
    ],
)
def test_what_cannot_be_bounded_or_looked_into_is_refused_by_name(source, why) -> None:
    said = refused(source)
    assert said.startswith(("payload.unsupported", "payload.malformed"))
    assert why in said.lower()


@pytest.mark.parametrize(
    "source",
    [
        "h q", "qubit q; h \x00;", "qubit q; h \x0b q;", "{", "}", "qubit q; if (true) { h q }", "qubit 5q;",
        "qubit[0b12] q;", "qubit q; h q; /* open", "qubit [3;] q;", "gate;", "gate g a;", "def f(", "case",
        "qubit ca²l;", "let a;", "for", "for int i in", "switch (1) { h q; }", "ctrl @;", "ctrl x q;", "@",
        "qubit gate;", "measure;", "qubit;", 'include "a', "box", "if", "defcal", "cal", "pow(", "else {}",
    ],
)  # fmt: skip
def test_what_is_no_program_is_refused(source) -> None:
    assert refused(source).startswith(("payload.malformed", "payload.unsupported"))


@pytest.mark.parametrize(
    "source",
    [
        "qubit q; for int i in [0:1e9] { h q; }",
        "qubit q; for int i in [0:1000000000] { }" + " for int j in [0:1000000000] { h q; }",
        "qubit[1000001] q;",
        "qubit[900000] q; " + "h q;" * 10,
        "qubit[1000000] q; let a = q ++ q;",
        "qubit q; gate g0 a { " + "h a;" * 10 + "} "
        + "".join(f"gate g{n} a {{ {f'g{n - 1} a; ' * 10} }} " for n in range(1, 30)) + "g29 q;",
        "qubit q; pow(1000000000) @ x q;",
        "qubit[1000000] q; input int n; " + "h q[n];" * 100,
        "{" * 100 + "}" * 100,
        "int a = " + "(" * 5000 + "1" + ")" * 5000 + ";" + "{" * 70 + "}" * 70,
        "h $99999999999999;",
        "qubit[90000] q; h q; bit c; " + "if (c) h q[0];" * 5000,
    ],
)  # fmt: skip
def test_what_takes_too_much_is_refused_at_once(source) -> None:
    start = time.process_time()
    assert refused(source).startswith("payload.too_costly")
    assert time.process_time() - start < 5


def test_names_are_those_of_their_scopes() -> None:
    assert renamed(
        "qubit[2] z; gate mine(t) x, y { rx(t) x; cx x, y; } x z[0]; t z[1]; mine(0.1) z[0], z[1];"
    ) == (
        "qubit [ 2 ] new_z ; gate new_mine ( new_t ) new_x , new_y { rx ( new_t ) new_x ; "
        "cx new_x , new_y ; } x new_z [ 0 ] ; t new_z [ 1 ] ; new_mine ( 0.1 ) new_z [ 0 ] , new_z [ 1 ] ;"
    )
    assert renamed("qubit[2] s; s s[0]; def sin2(float s) -> float { return sin(s); }") == (
        "qubit [ 2 ] new_s ; s new_s [ 0 ] ; def new_sin2 ( float new_s ) -> float { return sin ( new_s ) ; }"
    )
    assert renamed("qubit q; for int h in [0:h2] { h q; } h q;".replace("h2", "2")) == (
        "qubit new_q ; for int new_h in [ 0 : 2 ] { h new_q ; } h new_q ;"
    )


def test_numbers_keep_their_units_and_constants_their_names() -> None:
    source = "float im2 = 2im + pi; duration s = 10ns; qubit q; delay[s + 3.5e2us] q; rx(1.e-3 + .5) q;"
    assert renamed(source) == (
        "float new_im2 = 2im + pi ; duration new_s = 10ns ; qubit new_q ; "
        "delay [ new_s + 3.5e2us ] new_q ; rx ( 1.e-3 + .5 ) new_q ;"
    )


def test_pragmas_keep_what_is_theirs() -> None:
    text = program(
        "qubit[2] x; input float e;\n"
        "#pragma braket noise kraus([[1e-3, 1im], [e, 0]]) x[0]\n"
        "#pragma braket result expectation x(x[0]) @ z(x[1])\n"
        "#pragma braket result variance x all\n"
        "#pragma braket result adjoint_gradient expectation(z(x[0])) e\n"
    ).renamed(lambda name: f"new_{name}")
    assert "#pragma braket noise kraus([[1e-3, 1im], [new_e, 0]]) new_x[0]\n" in text
    assert "#pragma braket result expectation x(new_x[0]) @ z(new_x[1])\n" in text
    assert "#pragma braket result variance x all\n" in text
    assert "#pragma braket result adjoint_gradient expectation(z(new_x[0])) new_e\n" in text


def test_the_hash_tells_programs_apart_by_what_they_do() -> None:
    one = program("qubit[2] a; for int i in [0:3] { h a[i]; } def f(qubit b) { x b; } f(a[0]);").hash()
    same = program("qubit[2] b; for int k in [0:3] { h b[k]; } def g(qubit c) { x c; } g(b[0]);").hash()
    other = program("qubit[2] a; for int i in [0:4] { h a[i]; } def f(qubit b) { x b; } f(a[0]);").hash()
    assert one == same != other


def test_work_grows_with_the_program() -> None:
    def calls(lines: int) -> int:
        source = "qubit[50] q; " + "".join(
            f"{{ const int n{i} = 1; rz(n{i}) q[{i % 50}]; }}\n" for i in range(lines)
        )
        seen: Counter[str] = Counter()
        sys.setprofile(lambda frame, event, argument: seen.update((event,)))
        try:
            measured(source)
        finally:
            sys.setprofile(None)
        return seen["call"] + seen["c_call"]

    assert calls(4_000) < 4.5 * calls(1_000)
