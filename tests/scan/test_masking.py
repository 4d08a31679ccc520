import base64
import json
import time

import pytest
from hypothesis import given, settings, strategies as st

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.masking import Masker

VALUE = "sk-Q7mT2vXw9LpR4nZ8bKdY1cHf"
AWKWARD = 'p"w\\d/ü<&>+=%\n0123'


@pytest.fixture
def known():
    return masker(sandbox=VALUE, pilot=AWKWARD)


def masker(**values):
    known = KnownValues()
    for label, value in values.items():
        assert known.add(label, Secret(value, label))
    return Masker(known)


def stream(known, pieces):
    """Write pieces the way the stream does, and release at the end."""
    out, held = [], ""
    for piece in pieces:
        ready, held = known.split(held + piece)
        out.append(known.redact(ready))
    return "".join([*out, known.redact(held)])


def test_text_without_a_value_is_the_same_object(known):
    text = "nothing here " * 100
    assert known.redact(text) is text


def test_overlapping_and_repeated_values_become_one_marker_each():
    known = masker(a="abcabcabc")
    assert known.redact("xabcabcabcabcy") == "x[redacted: a]y"
    assert known.redact("abcabcabc-abcabcabc") == "[redacted: a]-[redacted: a]"


def test_a_longer_value_that_begins_with_a_shorter_one_is_wholly_masked():
    known = masker(short="abcdefgh", long="abcdefgh12345678")
    assert "1234" not in stream(known, ["abcdefgh", "1234", "5678"])
    assert "1234" not in known.redact("abcdefgh12345678")


def test_a_short_value_is_refused_with_a_warning(caplog):
    known = KnownValues()
    assert not known.add("sandbox", Secret("short12", "sandbox"))
    assert "cannot be redacted" in caplog.text
    assert not Masker(known)


@pytest.mark.parametrize(
    "hidden",
    [
        "\x1b[31m".join(VALUE),
        "\u200b".join(VALUE),
        "\u00ad".join(VALUE),
        VALUE[:9] + "\x1b]8;;http://x\x07" + VALUE[9:],
        VALUE[:3] + "\ufeff\x1b[0;1m" + VALUE[3:],
    ],
)
def test_noise_between_characters_does_not_hide_a_value(known, hidden):
    assert known.redact(f"a {hidden} b") == "a [redacted: sandbox] b"
    assert known.redact_tree(["x" + hidden])[0] == "x[redacted: sandbox]"
    packed = json.dumps({"text": hidden}, ensure_ascii=False).encode()
    assert known.in_packed(packed)


def test_noise_alone_stays_as_it_is(known):
    text = "\x1b[31mred\x1b[0m and \u200b nothing"
    assert known.redact(text) is text


def test_packed_json_with_quotes_in_the_value_is_recognised_and_stays_json(known):
    packed = json.dumps({"a": [f"x{AWKWARD}y"], AWKWARD: 1}, ensure_ascii=False).encode()
    assert known.in_packed(packed)
    assert known.redact_tree(json.loads(packed)) == {"a": ["x[redacted: pilot]y"], "[redacted: pilot]": 1}


def test_a_value_of_digits_is_masked_as_a_number_too():
    known = masker(pin="1234567890")
    assert known.redact_tree({"n": 1234567890, "m": 5, "b": True}) == {
        "n": "[redacted: pin]",
        "m": 5,
        "b": True,
    }


def test_binary_buffers_keep_their_length(known):
    data = b"\x00\x01" + VALUE.encode() + b"\xff"
    assert known.redact_buffer(memoryview(data)) == b"\x00\x01" + b"*" * len(VALUE) + b"\xff"
    clean = memoryview(b"clean")
    assert known.redact_buffer(clean) is clean


def test_a_base64_value_inside_longer_text_is_found_at_every_offset(known):
    for before in ("", "x", "xy", "user:"):
        text = base64.b64encode(f"{before}{VALUE}tail".encode()).decode()
        assert "[redacted: sandbox]" in known.redact(text)


@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(st.text(max_size=30), max_size=10))
def test_text_without_values_passes_unchanged_in_any_split(pieces):
    known = masker(t="ThisIsNeverThere-0123456789")
    assert stream(known, pieces) == "".join(pieces)


def test_only_what_may_begin_a_value_is_held_back(known):
    assert known.split("hello world\n") == ("hello world\n", "")
    assert known.split(f"hello {VALUE[:5]}") == ("hello ", VALUE[:5])
    assert known.split(VALUE[:-1]) == ("", VALUE[:-1])


def test_writing_character_by_character_takes_linear_time():
    known = masker(t="a" * 64 + "b")

    def seconds(length):
        began = time.perf_counter()
        stream(known, "a" * length)
        return time.perf_counter() - began

    seconds(500)
    assert seconds(8000) < 12 * seconds(2000)


def test_many_values_are_each_found():
    known = masker(**{f"t{number}": f"value-{number:05d}-secret" for number in range(200)})
    assert known.redact("see value-00123-secret.") == "see [redacted: t123]."


def test_a_value_that_is_added_later_is_masked_from_then_on():
    known = KnownValues()
    shown = Masker(known)
    assert shown.redact(VALUE) == VALUE
    known.add("late", Secret(VALUE, "late"))
    assert shown.redact(VALUE) == "[redacted: late]"


def test_text_with_numbers_costs_no_more_than_text_without():
    known = KnownValues()
    for number in range(50):
        known.add(f"t{number}", Secret(f"kQ9xT2vW7zPw3xRb8LdN{number:04d}", f"t{number}"))
    masker = Masker(known)
    with_numbers = "step 1024, 102, 115: energy -1.137, 0x6b, 0x51 of 116, 105\n" * 5000
    without = "step done and on to the next one, energy is what it has been\n" * 5000
    times = dict.fromkeys((with_numbers, without), 9.0)
    for _ in range(5):
        for text in times:
            began = time.perf_counter()
            assert masker.redact(text) == text
            times[text] = min(times[text], time.perf_counter() - began)
    assert times[with_numbers] < 20 * times[without] + 0.01
