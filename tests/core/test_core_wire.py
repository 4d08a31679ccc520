import json
import struct

import pytest
from hypothesis import given, strategies as st

from qsec_jupyter.core.wire import MAX_FRAME, Decoder, encode

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(), json_values, max_size=3), max_size=5), st.integers(1, 64))
def test_messages_survive_any_split(messages, size) -> None:
    stream = b"".join(encode(message) for message in messages)
    decoder, seen = Decoder(), []
    for start in range(0, len(stream), size):
        seen += decoder.feed(stream[start : start + size])
    assert seen == messages


def test_over_long_frame_is_refused_before_it_is_read() -> None:
    with pytest.raises(ValueError, match="longer than"):
        list(Decoder().feed(struct.pack(">I", MAX_FRAME + 1)))


def test_over_long_message_is_not_sent() -> None:
    with pytest.raises(ValueError, match="longer than"):
        encode({"x": "a" * MAX_FRAME})


@pytest.mark.parametrize("body", [b"[1]", b"{", b"\xff"])
def test_frame_that_is_no_json_object_ends_the_channel(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|Expecting|decode"):
        list(Decoder().feed(struct.pack(">I", len(body)) + body))


def test_a_lone_surrogate_crosses() -> None:
    message = {"x": json.loads('"\\ud800"')}
    assert list(Decoder().feed(encode(message))) == [message]
