"""Long values that somebody cut short."""

import string
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.masking import Masker
from qsec_jupyter.scan.pieces import LONG, SIZE, pieces

VALUE = "hvs4CAESIJ7q0vT3xLm9Wk2Rz8Yb1Nc6Pd5Qf0Gh4Ji7Kl3Mo9Us2Vt8Wx1Ya6Zb5"
JWT = (
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGExMjMifQ.4pcPyMD09olPSyXnrXCjTwXyr4BsezdI1AVTmud2fU4"
)
MARK = "[redacted: t]"


def knowing(value):
    known = KnownValues()
    known.add("t", Secret(value, "t"))
    return Masker(known)


@pytest.mark.parametrize(
    ("shown", "masked"),
    [
        (f"{VALUE[:25]}<...>{VALUE[-25:]}", f"{MARK}<...>{MARK}"),
        (f"0  Bearer {VALUE[:38]}...", f"0  Bearer {MARK}..."),
        (f"{VALUE[:60]}\n{VALUE[60:]}", f"{MARK}\n{VALUE[60:]}"),
        (f"..{VALUE[-30:]}'", f"..{MARK}'"),
        (f"x{VALUE}y", f"x{MARK}y"),
        (f"{VALUE}{VALUE[:24]}", f"{MARK}{MARK}"),
        (VALUE[:23], VALUE[:23]),
    ],
)
def test_a_part_is_masked_as_far_as_it_goes(shown, masked):
    assert knowing(VALUE).redact(shown) == masked


@given(start=st.integers(0, len(VALUE)), end=st.integers(0, len(VALUE)))
def test_every_part_of_twice_the_size_is_masked_whole(start, end):
    part = VALUE[start:end]
    shown = knowing(VALUE).redact(f"·{part}·")
    if len(part) >= 2 * SIZE - 1:
        assert shown == f"·{MARK}·"
    else:
        assert shown in {f"·{part}·", f"·{MARK}·"}


@given(st.lists(st.integers(0, len(VALUE) + 10), max_size=6))
def test_a_value_that_was_cut_short_and_written_in_pieces(cuts):
    text, masker, shown, held = f"a {VALUE[:46]}... b", knowing(VALUE), "", ""
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    for begin, end in pairwise(edges):
        ready, held = masker.split(held + text[begin:end])
        shown += masker.redact(ready)
    assert shown + masker.redact(held) == f"a {MARK}... b"


def test_colours_between_characters_do_not_hide_a_part():
    assert knowing(VALUE).redact("\x1b[1m".join(VALUE[:40])) == MARK


def test_in_a_buffer_a_part_is_overwritten():
    assert bytes(knowing(VALUE).redact_buffer(b"<" + VALUE[:40].encode() + b">")) == b"<" + b"*" * 40 + b">"


def test_what_all_tokens_share_stays():
    header = JWT.split(".", maxsplit=1)[0]
    assert knowing(JWT).redact(f"{header}.somebody-elses") == f"{header}.somebody-elses"
    assert knowing(JWT).redact(f"...{JWT[-30:]}") == f"...{MARK}"


def test_frames_of_pem_and_json_are_no_pieces():
    key = "-----BEGIN PRIVATE KEY-----\n" + VALUE + "\n-----END PRIVATE KEY-----\n"
    assert knowing(key).redact("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"
    assert not list(pieces(string.ascii_letters * 3))


def test_a_short_value_has_no_pieces():
    assert not list(pieces(VALUE[: LONG - 1]))
    assert list(pieces(VALUE[:LONG]))
