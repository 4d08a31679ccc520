"""Circuits in a stream: found wherever the stream is cut, and nothing else is changed."""

import json

from hypothesis import given, settings, strategies as st

from qsec_jupyter.control.gateway.payload import Cutter

CIRCUIT = {"__type__": "QuantumCircuit", "__value__": "eJwLDPQO8Qw="}
FRONT = '"__type__": "QuantumCircuit", "__value__": "'

parts = st.one_of(
    st.sampled_from(
        [
            json.dumps(CIRCUIT),
            FRONT + 'AAAA"',
            FRONT,
            '"__type__":"QuantumCircuit","__value__":"BB"',
            FRONT[:20],
        ]
    ),
    st.sampled_from(['"QuantumCircuit"', '"__value__": "', "  ", '"', "\\", FRONT[:-1], FRONT[10:]]),
    st.text(max_size=60),
)


def cut(stream: bytes, edges, most=100) -> tuple[bytes, list[bytes]]:
    """Return all pieces together, and the circuits among them."""
    cutter, out, circuits = Cutter(most), b"", []
    for start, end in zip([0, *edges], [*edges, len(stream)], strict=True):
        for piece in cutter.feed(stream[start:end]):
            out += piece.data
            circuits += [piece.data] if piece.is_circuit else []
    return out + cutter.finish(), circuits


@settings(deadline=None, max_examples=300)
@given(st.lists(parts, max_size=8), st.data())
def test_pieces_are_the_stream_and_its_circuits_however_it_comes(texts, data) -> None:
    stream = "".join(texts).encode()
    edges = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    whole, circuits = cut(stream, [])
    assert whole == stream
    assert cut(stream, edges) == (stream, circuits)
    assert cut(stream, range(len(stream)))[1] == circuits


def test_circuits_are_found() -> None:
    stream = json.dumps(
        {"data": [CIRCUIT, {"circuit": CIRCUIT}], "more": "QuantumCircuit"}, indent=2
    ).encode()
    assert cut(stream, [])[1] == [CIRCUIT["__value__"].encode()] * 2


def test_one_that_is_too_long_is_passed_on_as_it_comes() -> None:
    stream = json.dumps([{**CIRCUIT, "__value__": "A" * 1000}, CIRCUIT]).encode()
    for edges in ([], range(0, len(stream), 7)):
        assert cut(stream, edges) == (stream, [CIRCUIT["__value__"].encode()])
