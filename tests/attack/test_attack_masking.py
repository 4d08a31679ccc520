"""Claim: a known value does not get out, in any listed encoding, cut up in any way, by any channel.

Ten thousand cases against the functions that every message passes; ``test_attack_kernel_redaction`` tries the
same through real kernels. What stands around the value is made of characters that no encoding has, so
the text that comes out is known exactly: what stood before, markers, what stood behind.
"""

import base64
import html
import json
import logging
import re
import urllib.parse
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.kernel.redaction import messages
from qsec_jupyter.scan import logs
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.masking import Masker

CASES = 2000
AROUND = "·¤\n\t«»§"
MARKS = re.compile(r"(?:\[redacted: t\])+")


def twice(encode):
    return lambda text: encode(encode(text))


def thrice(encode):
    return lambda text: encode(encode(encode(text)))


def json_(text):
    return json.dumps(text)[1:-1]


def json_utf8(text):
    return json.dumps(text, ensure_ascii=False)[1:-1]


def repr_(text):
    return repr(text)[1:-1]


ENCODINGS = {
    "raw": str,
    "reversed": lambda text: text[::-1],
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "url": urllib.parse.quote,
    "url, all": lambda text: urllib.parse.quote(text, safe=""),
    "url, form": urllib.parse.quote_plus,
    "url twice": twice(lambda text: urllib.parse.quote(text, safe="")),
    "html": html.escape,
    "html twice": twice(html.escape),
    "html of json": lambda text: html.escape(json_(text)),
    "json": json_,
    "json, UTF-8": json_utf8,
    "json twice": twice(json_),
    "json thrice": thrice(json_),
    "json, UTF-8, thrice": thrice(json_utf8),
    "repr": repr_,
    "repr twice": twice(repr_),
    "repr thrice": thrice(repr_),
    "repr of json": lambda text: repr_(json_(text)),
    "json of repr of json": lambda text: json_(repr_(json_(text))),
}
BASE64 = {"base64": base64.b64encode, "base64, URL-safe": base64.urlsafe_b64encode}
NOISE = [
    "",
    "",
    "\x1b[1;31m",
    "\x1b[0m\x1b[38;2;1;2;3m",
    "\u200b",
    "\u2060\ufeff",
    "\x1b]8;;http://x\x07",
    "\u00ad",
]

values = st.one_of(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60),
    st.text(st.sampled_from("ab\\\"'/<&%+ é€😀"), min_size=8, max_size=40),
    st.sampled_from(
        ["aaaaaaaa", "abababababab", "sk-Q7mT2vXw9LpR4nZ8bKdY1cHf", "0123456789", "\\" * 9, '"' * 8]
    ),
)
cases = settings(max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
given_case = given(
    value=values,
    encoding=st.sampled_from(sorted(ENCODINGS)),
    noise=st.sampled_from(NOISE),
    before=st.text(AROUND, max_size=20),
    after=st.text(AROUND, max_size=20),
    cuts=st.lists(st.integers(0, 200), max_size=12),
)


def knowing(value):
    known = KnownValues()
    assert known.add("t", Secret(value, "t"))
    return Masker(known)


def exactly(shown, before, after):
    """Say whether ``shown`` is what stood before, markers, and what stood behind."""
    inside = shown[len(before) : len(shown) - len(after)]
    return shown.startswith(before) and shown.endswith(after) and bool(MARKS.fullmatch(inside))


def pieces_of(text, cuts):
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


@cases
@given_case
def test_stream_in_pieces(value, encoding, noise, before, after, cuts):
    masker = knowing(value)
    out, held = [], ""
    for piece in pieces_of(before + noise.join(ENCODINGS[encoding](value)) + after, cuts):
        ready, held = masker.split(held + piece)
        out.append(masker.redact(ready))
    assert exactly("".join([*out, masker.redact(held)]), before, after)


@cases
@given_case
def test_message_of_any_shape(value, encoding, noise, before, after, cuts):
    masker = knowing(value)
    text = before + noise.join(ENCODINGS[encoding](value)) + after
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "masker", masker)
        packed = messages.pack({"data": {"text/plain": text, "application/json": [1, {text: [text]}]}})
    data = json.loads(packed)["data"]
    key = next(iter(data["application/json"][1]))
    for shown in (data["text/plain"], key, data["application/json"][1][key][0]):
        assert exactly(shown, before, after)


@cases
@given_case
def test_large_message_that_is_redacted_while_it_is_signed(value, encoding, noise, before, after, cuts):
    masker = knowing(value)
    text = before + noise.join(ENCODINGS[encoding](value)) + after
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "masker", masker)
        patch.setattr(messages, "LARGE", 64)
        parts = [b"{}", messages.pack_unsigned({"text": text + "." * 64})]
        signature = messages.signing(b"|".join)(parts)
    assert signature == b"|".join(parts)
    assert exactly(json.loads(parts[1])["text"], before, after + "." * 64)


@cases
@given(
    value=values,
    encoding=st.sampled_from(sorted(BASE64)),
    before=st.binary(max_size=20),
    after=st.binary(max_size=20),
    cuts=st.lists(st.integers(0, 200), max_size=12),
)
def test_base64_at_any_offset_in_pieces(value, encoding, before, after, cuts):
    masker = knowing(value)
    text = BASE64[encoding](before + value.encode() + after).decode()
    out, held = [], ""
    for piece in pieces_of(text, cuts):
        ready, held = masker.split(held + piece)
        out.append(masker.redact(ready))
    shown = "".join([*out, masker.redact(held)])
    head, tail = MARKS.split(shown, maxsplit=1)
    # What is left belongs to the surroundings, but for one character on each side that holds bits of both.
    assert len(head) <= (len(before) * 8 + 5) // 6
    assert len(tail.rstrip("=")) <= (len(after) * 8 + 5) // 6 + 1


@cases
@given_case
def test_log_record_and_binary_buffer(value, encoding, noise, before, after, cuts):
    masker = knowing(value)
    text = before + noise.join(ENCODINGS[encoding](value)) + after
    record = logging.LogRecord("x", logging.INFO, __file__, 1, "%s", (text,), None)
    logs.mask(record, masker)
    assert exactly(record.getMessage(), before, after)
    clear = (before + ENCODINGS[encoding](value) + after).encode()
    shown = bytes(masker.redact_buffer(clear))
    assert len(shown) == len(clear)
    assert set(shown[len(before.encode()) : len(shown) - len(after.encode())]) == {ord("*")}
