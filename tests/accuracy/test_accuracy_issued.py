"""An issued value is found in any encoding, wherever it stands; drawn by Hypothesis, judged by :mod:`leaks`."""

from __future__ import annotations

import base64
import gzip
import html
import json
import os
import zlib
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from leaks import View, strings

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.ruleset import load_rules
from qsec_jupyter.scan.scanner import Scanner

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
TOKENS = st.text(LETTERS + "0123456789-_", min_size=20, max_size=72).filter(lambda text: len(set(text)) > 9)
PASSWORDS = st.text(LETTERS + "0123456789!#$%&*+-.=?@^_~/'\"\\<>äßé€", min_size=12, max_size=40).filter(
    lambda text: len(set(text)) > 7
)
VALUES = st.one_of(TOKENS, TOKENS, PASSWORDS)


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def each(form):
    return lambda value: "".join(form(code) for code in value.encode("utf-16-be").decode("utf-16-be"))


def octets(form, between=""):
    return lambda value: between.join(form(byte) for byte in value.encode())


ENCODINGS = {
    "plain": str,
    "reversed": lambda value: value[::-1],
    "hexadecimal": lambda value: value.encode().hex(),
    "HEXADECIMAL": lambda value: value.encode().hex().upper(),
    "hexadecimal with spaces": lambda value: value.encode().hex(" "),
    "hexadecimal with colons": lambda value: value.encode().hex(":"),
    "HTML breaks": lambda value: "&shy;".join(map(html.escape, value)),
    "list of bytes": octets(str, ", "),
    "list of bytes without spaces": octets(str, ","),
    "list of bytes in hexadecimal": octets(hex, ", "),
    "escapes": octets(lambda byte: f"\\x{byte:02x}"),
    "escapes in capitals": octets(lambda byte: f"\\x{byte:02X}"),
    "octal escapes": octets(lambda byte: f"\\{byte:03o}"),
    "unicode escapes": each(lambda code: f"\\u{ord(code):04x}"),
    "long unicode escapes": each(lambda code: f"\\U{ord(code):08x}"),
    "percent signs": octets(lambda byte: f"%{byte:02X}"),
    "percent signs twice": octets(lambda byte: f"%25{byte:02X}"),
    "URL": lambda value: quote(value, safe=""),
    "form": quote_plus,
    "entities": lambda value: html.escape(html.escape(value)),
    "decimal entities": each(lambda code: f"&#{ord(code)};"),
    "hexadecimal entities": each(lambda code: f"&#x{ord(code):X};"),
    "padded entities": each(lambda code: f"&#{ord(code):04};"),
    "JSON": json.dumps,
    "JSON in JSON in JSON": lambda value: json.dumps({"a": json.dumps({"b": json.dumps([value])})}),
    "repr": repr,
    "repr of bytes": lambda value: repr(value.encode()),
    "repr of repr": lambda value: repr({"body": repr({"v": value})}),
    "JSON of a repr of bytes": lambda value: json.dumps({"body": repr(value.encode())}),
    "base64": lambda value: b64(value.encode()),
    "base64 for URLs": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
    "base64 of a text": lambda value: b64(f"user:{value}@host and more".encode()),
    "base64 in lines": lambda value: base64.encodebytes(
        f"# settings of the laboratory\n{value}\nend\n".encode()
    ).decode(),
    "base64 in indented lines": lambda value: "\n    ".join(
        base64.encodebytes(f"# settings of the laboratory\n{value}\nend\n".encode()).decode().split()
    ),
    "base64 of base64": lambda value: b64(b64(value.encode()).encode()),
    "base64 of base64 of a text": lambda value: b64(b64(f"x={value}\n".encode()).encode()),
    "base64 of hexadecimal": lambda value: b64(value.encode().hex().encode()),
    "hexadecimal of base64": lambda value: b64(value.encode()).encode().hex(),
    "base64 of JSON": lambda value: b64(json.dumps({"auths": {"a": {"auth": value}}}).encode()),
    "base64 of UTF-16": lambda value: b64(f"$v = '{value}'".encode("utf-16-le")),
    "base64 of gzip": lambda value: b64(gzip.compress(f"settings\nv={value}\n".encode(), mtime=0)),
    "base64 of zlib": lambda value: b64(zlib.compress(f"settings\nv={value}\n".encode())),
    "base64 of base64 of gzip": lambda value: b64(b64(gzip.compress(value.encode(), mtime=0)).encode()),
    "colours": lambda value: f"\x1b[1m{value[:5]}\x1b[0m\x1b[38;5;12m{value[5:]}\x1b[0m",
    "zero-width characters": "\u200b".join,
    "a soft break": lambda value: f"{value[:6]}\u00ad{value[6:]}",
    "tags": lambda value: "<wbr>".join(map(html.escape, (value[:7], value[7:]))),
}
"""Every encoding that a person or a library writes."""

_SPLIT = {
    "adjacent": lambda parts: "(" + "\n  ".join(map(repr, parts)) + ")",
    "plus": lambda parts: " + ".join(map(repr, parts)),
    "join": lambda parts: f"''.join({parts!r})",
    "per cent": lambda parts: f"{'%s' * len(parts)!r} % {tuple(parts)!r}",
    "format": lambda parts: f"{'{}' * len(parts)!r}.format({', '.join(map(repr, parts))})",
    "names": lambda parts: (
        "; ".join(f"p{n} = {part!r}" for n, part in enumerate(parts))
        + "; v = "
        + " + ".join(f"p{n}" for n in range(len(parts)))
    ),
    "f-string": lambda parts: (
        "; ".join(f"p{n} = {part!r}" for n, part in enumerate(parts))
        + "; v = f'"
        + "".join(f"{{p{n}}}" for n in range(len(parts)))
        + "'"
    ),
}


def cell(source="", output=None):
    outputs = [output] if output else []
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": outputs, "execution_count": 1}


def stream(text):
    return cell(output={"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)})


def shown(mime, text):
    return cell(output={"output_type": "display_data", "metadata": {}, "data": {mime: text}})


PLACES = {
    "stream": lambda text: stream(f"step 1\nvalue {text}\nstep 2\n"),
    "result": lambda text: shown("text/plain", text),
    "page": lambda text: shown("text/html", f"<p>{text}</p>"),
    "tree": lambda text: shown("application/json", {"a": [{"b": text}]}),
    "key": lambda text: shown("application/json", {text: 1}),
    "markdown": lambda text: {"cell_type": "markdown", "metadata": {}, "source": f"# Notes\n\n{text}\n"},
    "attachment": lambda text: {
        "cell_type": "markdown",
        "metadata": {},
        "source": "",
        "attachments": {"a.txt": {"text/plain": text}},
    },
    "metadata": lambda text: {"cell_type": "raw", "metadata": {"tags": [text]}, "source": ""},
    "error": lambda text: cell(
        output={"output_type": "error", "ename": "E", "evalue": text, "traceback": ["E", f"E: {text}"]}
    ),
}


def shown_in(document, value, text):
    """Tell whether the judge reads the value, or the encoded text stands there as it was."""
    return View(document).shows(value) or any(text.strip() in one for one in strings(document))


def notebook(*cells):
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}


@pytest.fixture(scope="module")
def rules():
    return load_rules()


@pytest.fixture
def redact(rules, tmp_path):
    def run(value, document):
        known = KnownValues()
        known.add("target", Secret(value, "target"))
        scanner = Scanner(known, Baseline(tmp_path / "kept.json"), b"k" * 32, rules)
        if isinstance(document, str):
            return scanner.scan_text(document, "a.log").redacted or document
        return scanner.scan_notebook(document, "a.ipynb").redacted or document

    return run


MANY = int(os.environ.get("QSEC_FUZZ", "1"))
drawn = settings(
    max_examples=3 * MANY,
    deadline=None,
    derandomize=MANY == 1,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
    ],
)


@pytest.mark.parametrize("form", ENCODINGS)
@drawn
@given(value=VALUES)
def test_issued_value_is_gone_from_every_place_in_every_encoding(redact, form, value):
    text = ENCODINGS[form](value)
    document = notebook(*(place(text) for place in PLACES.values()))
    after = redact(value, document)
    left = [name for name, one in zip(PLACES, after["cells"], strict=True) if shown_in(one, value, text)]
    assert not left


@pytest.mark.parametrize("form", ENCODINGS)
@drawn
@given(value=VALUES)
def test_issued_value_is_gone_from_a_text_file(redact, form, value):
    text = ENCODINGS[form](value)
    assert not shown_in({"a": redact(value, f"started\nvalue {text}\nended\n")}, value, text)


@pytest.mark.parametrize("form", _SPLIT)
@drawn
@given(value=VALUES, cuts=st.lists(st.integers(4, 16), min_size=1, max_size=3))
def test_issued_value_is_gone_from_source_that_puts_it_together(redact, form, value, cuts):
    parts, at = [], 0
    for cut in cuts:
        parts.append(value[at : at + cut])
        at += cut
    parts = [part for part in [*parts, value[at:]] if part]
    if len(parts) < 2:
        return
    after = redact(
        value, notebook(cell(f"zugang = 1\nv = {_SPLIT[form](parts)}\n" if ";" not in form else form))
    )
    assert not View(after).shows(value)
    source = after["cells"][0]["source"]
    assert not any(repr(part)[1:-1] in source for part in parts if len(part) > 5)
