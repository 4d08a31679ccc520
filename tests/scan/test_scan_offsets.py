"""Places in a text that is shown in another way than it is stored."""

from hypothesis import given, strategies as st

from qsec_jupyter.scan.units import Unit

HIDDEN = ["\x1b[31m", "\x1b[0m", "\u200b", "\ufeff"]
pieces = st.lists(
    st.sampled_from(["a", "b\n", "\u00e9", "\U0001f511", "\ud800", "x" * 900, *HIDDEN]), max_size=20
)


@given(pieces, st.sampled_from(["", "k\u00e9y"]))
def test_each_character_that_is_seen_is_found_where_it_is_stored(drawn, name):
    stored = [(piece not in HIDDEN, character) for piece in drawn for character in piece]
    unit = Unit("output", "".join(drawn), None, None, name)
    byte = len(f'"{name}": "'.encode()) if name else 0
    line, column = 1, 1
    for index, (shown, character) in enumerate(stored):
        if not shown:
            continue
        end = byte + len(character.encode("utf-8", "surrogatepass"))
        assert unit.span(byte, end) == (index, index + 1)
        assert unit.position(index) == (line, column)
        assert unit.end_column(index, index + 1) == column + (character != "\n")
        line, column = (line + 1, 1) if character == "\n" else (line, column + 1)
        byte = end


def test_what_is_in_front_of_the_text_has_no_place_in_it():
    unit = Unit("output", "value", None, None, "name")
    assert unit.span(1, 5) is None
    assert unit.span(3, len(unit.data)) == (0, 5)
