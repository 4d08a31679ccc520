"""Attack: pulses reach a target that does not take them, or a program is longer than what was counted."""

import json

import pytest

pytest.importorskip("braket.aws")

from braket_server import DEVICE, KEY, entry
from gateway_child import Gated
from test_attack_gateway_braket import Client

from qsec_jupyter.control.gateway.payload.braket.pragmas import PRAGMAS
from qsec_jupyter.control.gateway.payload.openqasm import Program
from qsec_jupyter.core.errors import Invalid

CAL = "cal { play(q0_rf_frame, constant(1us, 0.3)); }"
SMUGGLED = {
    "plainly": CAL,
    "the grammar alone": 'defcalgrammar "openpulse";',
    "a calibration": "defcal rx(angle t) $0 { play(q0_rf_frame, w); } rx(0.1) $0;",
    "behind a comment that ends with a carriage return": f"// nothing\r{CAL}",
    "behind a comment that seems to go on": f"/* a /* b */ {CAL} /* c */",
    "behind a comment in a text": f'bit[2] b = "01"; /* " */ {CAL} // "',
    "behind a pragma that ends with a carriage return": f"#pragma braket verbatim\r{CAL}",
    "behind a pragma's comment": f"#pragma braket result probability all\n/*\n*/{CAL}",
    "without spaces": "cal{play(q0_rf_frame,w);}",
    "over lines": "cal\r\n\t{\nplay(q0_rf_frame, w);\n}",
    "behind an empty statement": f";;{CAL};",
}
REFUSED = {
    "in a branch": f"qubit q; if (true) {{ {CAL} }}",
    "in a box": f"box {{ {CAL} }}",
    "in a loop": f"for int i in [0:1] {{ {CAL} }}",
    "in a gate": f"gate g a {{ {CAL} }} qubit q; g q;",
    "in a function": f"def f() {{ {CAL} }} f();",
    "in a duration": f"duration d = durationof({{ {CAL} }});",
    "in a pragma": f"#pragma braket {CAL}\n",
    "in a pragma of its own": "#pragma pulse play(q0_rf_frame, w)\n",
    "in a result": "#pragma braket result play(q0_rf_frame)\n",
    "in a pragma's text": "#pragma braket result amplitude 'cal { }'\n",
    "in a pragma's comment": f"#pragma braket verbatim // {CAL}\n",
    "in an annotation": f"@braket.pulse {CAL}\nh $0;",
    "in a file": 'include "pulses.inc";',
    "by a function that is defined elsewhere": "extern play(int, int); play(1, 2);",
    "by a function that nothing defines": "play(q0_rf_frame, w);",
    "in a grammar of its own": 'defcalgrammar "mine"; cal { anything at all }',
    "in letters that look alike": "ｃａｌ { play(q0_rf_frame, w); }",
    "with a sign that a lexer may skip": "ca\u200bl { play(q0_rf_frame, w); }",
    "with a backslash": "c\\\nal { play(q0_rf_frame, w); }",
    "in a text that does not end": f'bit[2] b = "01; {CAL}',
    "in a comment that does not end": f"/* {CAL}",
    "behind an end that is none": f"\x00{CAL}",
    "behind a sign that ends a line elsewhere": f"// nothing\u2028\x0b{CAL}\nh",
}


@pytest.mark.parametrize("how", SMUGGLED)
def test_pulses_are_seen_wherever_they_stand(how) -> None:
    assert Program(f"OPENQASM 3.0;\n{SMUGGLED[how]}", 1000, PRAGMAS).pulses


@pytest.mark.parametrize("how", REFUSED)
def test_pulses_that_stand_where_none_may_are_refused(how) -> None:
    with pytest.raises(Invalid):
        Program(f"OPENQASM 3.0;\n{REFUSED[how]}", 1000, PRAGMAS)


@pytest.mark.parametrize(
    "source",
    [
        f"bit[4] b; // {CAL}",
        f"bit[4] b; /* {CAL} */",
        "qubit[2] calibrated; qubit play; h calibrated; x play;",
    ],
)
def test_what_only_looks_like_pulses_is_none(source) -> None:
    program = Program(f"OPENQASM 3.0;\n{source}", 1000, PRAGMAS)
    assert not program.pulses
    assert "cal {" not in program.renamed(str)


ENVELOPE = "[targets.amazon.envelope]\npulses = true\nmax_depth = 10\n"


def gate_of(tmp_path, server, more=""):
    return Gated(tmp_path / "home", entry(server.address) + more, {"amazon": KEY})


def test_a_target_takes_pulses_only_where_its_envelope_says_so(tmp_path, braket_server) -> None:
    with gate_of(tmp_path, braket_server) as gate:
        client = Client(gate)
        for source in SMUGGLED.values():
            answer = client.submit(source=f"OPENQASM 3.0;\n{source}")
            assert answer.status_code == 403, source
            assert answer.headers["x-amzn-errortype"] == "AccessDeniedException"
            told = answer.json()
            assert told["code"] == "envelope.pulses"
            assert "pulses = true" in told["message"]
        for source in REFUSED.values():
            assert client.submit(source=f"OPENQASM 3.0;\n{source}").status_code == 400, source
        assert not braket_server.seen


def test_pulses_that_a_target_takes_reach_it_with_names_hidden(tmp_path, braket_server) -> None:
    braket_server.keep_queued = True
    with gate_of(tmp_path, braket_server, ENVELOPE) as gate:
        client = Client(gate)
        source = "OPENQASM 3.0;\ncal { waveform caffeine = constant(1us, 0.3); play(q0_rf_frame, caffeine); }"
        assert client.submit(source=source).status_code == 201
        (seen,) = braket_server.seen
        assert "caffeine" not in json.dumps(seen)
        assert "play ( q0_rf_frame , qsec_h" in json.loads(seen["action"])["source"]
        long = "OPENQASM 3.0;\ncal { for int i in [0:100] { play(q0_rf_frame, constant(1us, 0.3)); } }"
        answer = client.submit(source=long)
        assert (answer.status_code, answer.json()["code"]) == (403, "envelope.depth")
        assert seen["deviceArn"] == DEVICE


@pytest.mark.parametrize(
    "source",
    [
        "gate g a { h a; h a; h a; } qubit q; g q; g q; g q; g q;",
        "def f(qubit a) { h a; h a; h a; } qubit q; f(q); f(q); f(q); f(q);",
        "qubit q; for int i in [1:12] { h q; }",
        "qubit q; pow(12) @ x q;",
        "qubit[12] q; for int i in [0:11] { cx q[i], q[i - 1]; }",
        "qubit[12] q; for int i in [1:12] { h q[0:i]; }",
        "qubit q; let a = q; " + "h q; h a;" * 6,
        "bit c; qubit q; qubit[2] r; " + "h q; c = measure q; if (c) { h r[0]; } cx r[0], q;" * 3,
        "x $1; x $01; x $001; " * 4,
        "qubit[2] q;" + "\n#pragma braket unitary([[1, 0], [0, 1]]) q[0]" * 12 + "\n",
        "defcal x $0 { " + "play(f, w); " * 12 + "} x $0;",
        "defcal reset $0 { " + "play(f, w); " * 12 + "} reset $0;",
        "bit c; defcal measure $0 -> bit { " + "play(f, w); " * 12 + "} c = measure $0;",
    ],
)
def test_a_program_is_never_deeper_than_what_was_counted(source) -> None:
    assert Program(f"OPENQASM 3.0;\n{source}", 1000, PRAGMAS).circuit().depth >= 12


@pytest.mark.parametrize(
    "source",
    [
        "const int[2] n = 9; qubit q; for int i in [0:n] { h q; }",
        "const uint[8] n = -1; qubit q; for int i in [0:n] { h q; }",
        "const uint[8] a = 250; qubit q; for uint[8] i in [a + 11:20] { h q; }",
        "const int[8] a = 100; qubit q; for int[8] i in [2 * a:20] { h q; }",
        "qubit q; x q; defcal x $0 { play(f, w); }",
        "defcal delay $0 { play(f, w); } delay[1ns] $0;",
        "bit c = measure $0; defcal measure $0 -> bit { play(f, w); }",
        "qubit q; my q; gate my a { h a; }",
        "qubit[9] q; qubit[1] q;",
    ],
)
def test_what_two_readers_may_count_in_two_ways_is_refused(source) -> None:
    with pytest.raises(Invalid):
        Program(f"OPENQASM 3.0;\n{source}", 1000, PRAGMAS)
