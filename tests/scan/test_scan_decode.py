"""A secret is found behind every notation, and only the notation that holds it is replaced."""

import base64
import gzip
import html
import json
import random
import zlib
from urllib.parse import quote

import pytest
from hypothesis import given, strategies as st

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.scan import decode
from qsec_jupyter.scan.rules.samples import fill

VALUE = fill("glpat-{random:20}", random.Random(8))[0]


def packed(data):
    return base64.b64encode(data).decode()


def in_lines(value, before, after):
    """Return ``value``, and much that is not ASCII, in lines of base64 between lines of words."""
    text = base64.encodebytes(f"{'x' * 50}{value} äöüßéèçñ, end of file".encode()).decode()
    return f"{before}\n{text}{after}"


NOTATIONS = {
    "lines between words": lambda v: in_lines(v, "tV582DLKLi1nRgSqBmjoZ3ovan", "Epoch 39/50  loss=0.01"),
    "lines before a word": lambda v: in_lines(v, "got", "done"),
    "hex escapes": lambda v: "".join(f"\\x{ord(c):02x}" for c in v),
    "unicode escapes": lambda v: "".join(f"\\u{ord(c):04x}" for c in v),
    "octal escapes": lambda v: "".join(f"\\{ord(c):03o}" for c in v),
    "entities": lambda v: "".join(f"&#{ord(c)};" for c in v),
    "hexadecimal entities": lambda v: "".join(f"&#x{ord(c):x};" for c in v),
    "percent": lambda v: "".join(f"%{ord(c):02X}" for c in v),
    "percent twice": lambda v: quote("".join(f"%{ord(c):02X}" for c in v)),
    "base64": lambda v: packed(f"secret: {v}".encode()),
    "base64 of base64": lambda v: packed(packed(f"secret: {v}".encode()).encode()),
    "gzip": lambda v: packed(gzip.compress(f"secret: {v}".encode())),
    "zlib": lambda v: packed(zlib.compress(f"secret: {v}, that was packed".encode())),
    "hexadecimal": lambda v: f"secret: {v}".encode().hex(),
    "numbers": lambda v: ", ".join(str(ord(c)) for c in v),
    "tags": lambda v: f"{v[:9]}</span><span class='x'>{v[9:]}",
    "json in json": lambda v: json.dumps(json.dumps({"a": "".join(f"\\x{ord(c):02x}" for c in v)})),
    "escaped html": lambda v: html.escape(f"<b>{v}</b>"),
}


@pytest.mark.parametrize("notation", NOTATIONS)
def test_secret_is_found_and_only_its_notation_is_replaced(scanner, notation):
    shown = NOTATIONS[notation](VALUE)
    result = scanner.scan_text(f"before {shown} behind", "a.txt")
    assert result.findings
    assert VALUE not in result.redacted
    assert shown not in result.redacted
    assert result.redacted.startswith("before ")
    assert result.redacted.endswith(" behind")
    again = scanner.scan_text(result.redacted, "a.txt")
    assert again.redacted is None


@pytest.mark.parametrize("notation", [name for name in NOTATIONS if name not in ("numbers", "zlib")])
def test_secret_is_found_in_large_outputs_as_well(scanner, notation):
    shown = NOTATIONS[notation](VALUE)
    output = {"output_type": "stream", "name": "stdout", "text": "all is well\n" * 20_000 + shown + "\n"}
    cell = {"cell_type": "code", "source": "", "metadata": {}, "outputs": [output], "execution_count": 1}
    result = scanner.scan_notebook({"nbformat": 4, "metadata": {}, "cells": [cell]}, "a.ipynb")
    assert shown not in str(result.redacted)


@pytest.mark.parametrize("width", [20, 40, 64, 76])
def test_value_that_was_issued_is_found_in_base64_of_base64_and_in_lines(width, scanner, known):
    value = fill("{random:40}", random.Random(3))[0]
    once = base64.b64encode(f"some text before {value} and behind".encode())
    lines = b"\n".join(once[at : at + width] for at in range(0, len(once), width)).decode()
    known.add("sandbox", Secret(value, "sandbox"))
    for shown in (packed(once), lines):
        result = scanner.scan_text(f"x {shown} y", "a.log")
        assert shown not in str(result.redacted)


def test_bomb_is_read_as_far_as_the_limit(scanner):
    bomb = packed(gzip.compress(b"a" * 50_000_000))
    assert scanner.scan_text(f"x {bomb} y", "a.txt").findings == []


def test_picture_stays_as_it_is(scanner):
    source = random.Random(4)
    picture = packed(b"\x89PNG\r\n\x1a\n" + source.randbytes(30_000))
    assert scanner.scan_text(f'<img src="data:image/png;base64,{picture}">', "a.html").findings == []


@given(st.text("ab<>&;#\\x41%2B\"'+ \n\u200b", max_size=200))
def test_every_reading_leads_back_into_the_text(text):
    for view in decode.views(text, [(0, len(text))] if text else []):
        for at in range(len(view.text)):
            start, end = view.locate(at, at + 1)
            assert 0 <= start < end <= len(text)
