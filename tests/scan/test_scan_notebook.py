"""Notebooks through the scanner: what is found, where it is said to be, and what redaction leaves."""

import base64
import copy
import json
import random

import nbformat
import pytest
from hypothesis import given, settings, strategies as st

from qsec_jupyter.core.secret import Secret, marker
from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.document import Document
from qsec_jupyter.scan.known import KnownValues, encodings
from qsec_jupyter.scan.redact import Hit, merge
from qsec_jupyter.scan.rules.samples import fill
from qsec_jupyter.scan.scanner import Scanner
from qsec_jupyter.scan.units import _ZERO_WIDTH, Unit, _hides, encode, seen, splice_parts

VALUE = "Zk3-issued/value+of 'quotes\""
MARK = marker("sandbox")


def draw(template, seed=0):
    return fill(template, random.Random(seed))[0]


def notebook(*cells, **metadata):
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}


def cell(source="", outputs=(), **more):
    kept = {"metadata": {}, "id": "a1", "execution_count": 1}
    return {"cell_type": "code", "source": source, "outputs": list(outputs), **kept, **more}


@pytest.fixture
def issued(scanner, known):
    known.add("sandbox", Secret(VALUE, "sandbox"))
    return scanner


def strings(tree):
    """Yield every string of a JSON value, keys included, and lists of strings also joined."""
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from strings(value)
    elif isinstance(tree, list):
        if tree and all(isinstance(part, str) for part in tree):
            yield "".join(tree)
        for value in tree:
            yield from strings(value)


# -- surfaces -------------------------------------------------------------------------------------


def shown(data, **metadata):
    return cell(outputs=[{"output_type": "display_data", "metadata": metadata, "data": data}])


def printed(text):
    return cell(outputs=[{"output_type": "stream", "name": "stdout", "text": text}])


def failed(evalue, *traceback):
    return cell(
        outputs=[{"output_type": "error", "ename": "E", "evalue": evalue, "traceback": list(traceback)}]
    )


def attached(bundle):
    return {
        "cell_type": "markdown",
        "id": "m",
        "metadata": {},
        "source": "",
        "attachments": {"a.txt": bundle},
    }


SURFACES = {
    "source": lambda v: cell(source=f"x = 1\ny = {v}"),
    "source lines": lambda v: cell(source=["x = 1\n", f"y = {v}\n", "z"]),
    "stream": lambda v: printed(f"a\n{v}"),
    "stream lines": lambda v: printed(["a\n", v]),
    "html": lambda v: shown({"text/html": f"<b>{v}</b>"}),
    "json": lambda v: shown({"application/json": {"a": [1, {"b": v}]}}),
    "json key": lambda v: shown({"application/json": [{v: 1, "z": 2}]}),
    "svg": lambda v: shown({"image/svg+xml": f"<text>{v}</text>"}),
    "text as image": lambda v: shown({"image/png": v}),
    "error": lambda v: failed(v, "a", "b"),
    "traceback": lambda v: failed("e", "a", f"\x1b[31m{v}\x1b[0m", "c"),
    "output metadata": lambda v: shown({}, a=v),
    "cell metadata": lambda v: cell(metadata={"a": {"b": [v]}}),
    "attachment": lambda v: attached({"text/plain": v}),
    "unknown field": lambda v: cell(extra={"a": v}),
    "unknown output field": lambda v: cell(outputs=[{"output_type": "new", "blob": [v]}]),
}


@pytest.mark.parametrize("surface", SURFACES)
def test_issued_value_is_found_and_redacted_on_every_surface(issued, surface):
    content = notebook(cell(source="first", id="a0"), SURFACES[surface](VALUE))
    before = copy.deepcopy(content)
    result = issued.scan_notebook(content, "a.ipynb")
    assert content == before
    assert [finding.cell for finding in result.findings] == [1]
    assert not any(VALUE in text for text in strings(result.redacted))
    assert any(MARK in text for text in strings(result.redacted))
    assert list(result.cells) == ["1"]
    assert issued.scan_notebook(result.redacted, "a.ipynb").findings == []


@pytest.mark.parametrize("surface", SURFACES)
def test_nothing_else_changes(issued, surface):
    content = notebook(cell(source="first", id="a0"), SURFACES[surface](VALUE))
    expected = notebook(cell(source="first", id="a0"), SURFACES[surface](MARK))
    assert issued.scan_notebook(content, "a.ipynb").redacted == expected


def test_notebook_metadata_is_scanned_with_its_keys_as_context(scanner):
    value = draw("{alnum:32}")
    content = notebook(cell(), papermill={"parameters": {"api_key": value, "shots": 1024}})
    result = scanner.scan_notebook(content, "a.ipynb")
    assert [(f.surface, f.cell, f.rule) for f in result.findings] == [("metadata", None, "named-credential")]
    assert result.redacted["metadata"]["papermill"]["parameters"] == {
        "api_key": marker("secret"),
        "shots": 1024,
    }
    assert list(result.redacted) == list(content)


@pytest.mark.parametrize(
    "widget",
    [
        {"model_name": "PasswordModel", "state": {"value": "{alnum:32}"}},
        {"model_name": "TextModel", "state": {"description": "API key:", "value": "{alnum:32}"}},
        {"model_name": "TextModel", "state": {"placeholder": "Token", "value": "{alnum:32}"}},
        {"ionq_api_key": {"value": "{alnum:32}"}},
    ],
)
def test_what_stands_beside_or_above_a_value_names_it(scanner, widget):
    state = json.loads(json.dumps(widget).replace("{alnum:32}", value := draw("{alnum:32}")))
    document = notebook(widgets={"application/vnd.jupyter.widget-state+json": {"state": {"a1": state}}})
    result = scanner.scan_notebook(document, "a.ipynb")
    assert value not in json.dumps(result.redacted)


@pytest.mark.parametrize(
    "source",
    [
        "os.environ['IONQ_API_KEY']",
        "x = 1\nprint(client.token)",
        "!echo $IQM_TOKEN",
        "!cat ~/.ionq/api_key\n",
    ],
)
def test_source_names_what_is_printed_alone(scanner, source):
    value = draw("{alnum:32}")
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": f"{value}\n"},
        {
            "output_type": "execute_result",
            "execution_count": 1,
            "metadata": {},
            "data": {"text/plain": f"'{value}'"},
        },
    ]
    for output in outputs:
        redacted = scanner.scan_notebook(notebook(cell(source, [output])), "a.ipynb").redacted
        assert value not in json.dumps(redacted)
        assert scanner.scan_notebook(redacted, "a.ipynb").findings == []
        assert not scanner.scan_notebook(notebook(cell("job.job_id()", [output])), "a.ipynb").findings


def test_images_are_left_alone_and_counted(scanner):
    image = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4).decode()
    content = notebook(
        cell(outputs=[{"output_type": "display_data", "metadata": {}, "data": {"image/png": image}}])
    )
    result = scanner.scan_notebook(content, "a.ipynb")
    assert result.findings == []
    assert (result.images, result.unscanned) == (1, [])


def test_redacted_notebook_is_valid_nbformat(scanner):
    token = draw("{random:44}")
    known_shapes = [name for name in SURFACES if "unknown" not in name]
    cells = [dict(SURFACES[name](token), id=f"s{number}") for number, name in enumerate(known_shapes)]
    content = notebook(*cells)
    redacted = scanner.scan_notebook(content, "a.ipynb").redacted
    nbformat.validate(nbformat.from_dict(redacted))


# -- positions ------------------------------------------------------------------------------------


@given(st.lists(st.text("a é\u4e2d\U0001f600", max_size=6), max_size=4), st.text("b é", max_size=5))
@settings(deadline=None)
def test_position_is_line_and_column_as_the_user_sees_them(rules_once, lines, before):
    text = "".join(line + "\n" for line in lines) + before + VALUE
    finding = rules_once.scan_notebook(notebook(cell(source=text)), "a").findings[0]
    assert (finding.line, finding.column) == (len(lines) + 1, len(before) + 1)


def test_position_does_not_count_escape_sequences(issued):
    outputs = [
        {"output_type": "error", "ename": "E", "evalue": "", "traceback": ["x", f"\x1b[31mab\x1b[0m {VALUE}"]}
    ]
    finding = issued.scan_notebook(notebook(cell(outputs=outputs)), "a").findings[0]
    assert (finding.surface, finding.line, finding.column) == ("output", 2, 4)


def test_value_broken_by_escape_sequences_and_zero_width_characters_is_found(issued):
    broken = f"{VALUE[:5]}\x1b[1m{VALUE[5:9]}\u200b{VALUE[9:]}"
    result = issued.scan_notebook(notebook(cell(source=f"é{broken}!")), "a")
    assert result.redacted["cells"][0]["source"] == f"é{MARK}!"


def test_what_a_text_hides_is_told_by_its_bytes_as_by_its_characters():
    for code in (*range(0x20000), *range(0xE0000, 0xE2000)):
        assert _hides(encode(chr(code))) is (_ZERO_WIDTH.match(chr(code)) is not None), hex(code)


# -- redaction as a property ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def rules_once(rules, tmp_path_factory):
    known = KnownValues()
    known.add("sandbox", Secret(VALUE, "sandbox"))
    return Scanner(known, Baseline(tmp_path_factory.mktemp("kept") / "kept.json"), b"k" * 32, rules)


FORMS = sorted(encodings(VALUE))
PIECES = st.lists(
    st.one_of(st.sampled_from(FORMS), st.text(max_size=8), st.sampled_from(["\n", "token=", "\x1b[0m"])),
    max_size=8,
)
LEAVES = PIECES.map("".join)
TREES = st.recursive(
    st.one_of(LEAVES, st.integers(), st.none(), st.booleans(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(LEAVES, inner, max_size=4)),
    max_leaves=12,
)


@given(LEAVES, LEAVES, TREES, TREES)
@settings(deadline=None, max_examples=150)
def test_redaction_leaves_no_encoding_of_an_issued_value_and_is_idempotent(
    rules_once, source, text, data, metadata
):
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": text.splitlines(keepends=True)},
        {"output_type": "display_data", "metadata": {}, "data": {"application/json": data}},
        {"output_type": "error", "ename": "E", "evalue": text, "traceback": text.split("\n")},
    ]
    content = notebook(cell(source=source, outputs=outputs, metadata=metadata))
    result = rules_once.scan_notebook(content, "a.ipynb")
    left = result.redacted or content
    for string in strings(left):
        assert not any(form in seen(string) for form in FORMS)
    again = rules_once.scan_notebook(left, "a.ipynb")
    assert again.redacted is None
    assert Document(left).shape == "4"


@given(st.lists(st.text("abc\n", max_size=6), min_size=1, max_size=5), st.data())
def test_parts_stay_parts_and_only_the_span_is_cut(parts, data):
    whole = "\n".join(parts)
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, len(whole)))
    result = splice_parts(parts, "\n", [(start, end, "X")] if end > start else [])
    assert len(result) == len(parts)
    kept = whole[:start] + whole[end:]
    assert "".join(result).replace("X", "").replace("\n", "") == kept.replace("\n", "")


def test_same_secret_elsewhere_without_its_name_is_redacted_in_any_encoding(scanner):
    value = draw("{alnum:32}")
    outputs = [
        {
            "output_type": "stream",
            "name": "stdout",
            "text": f"{value} {base64.b64encode(value.encode()).decode()}",
        }
    ]
    content = notebook(cell(source=f"p = IonQProvider('{value}')"), cell(outputs=outputs, id="b"))
    result = scanner.scan_notebook(content, "a.ipynb")
    assert not any(form in text for text in strings(result.redacted) for form in encodings(value))
    assert {finding.fingerprint for finding in result.findings} == {scanner.fingerprint(value)}


def test_secret_in_a_cell_that_was_clean_before_is_found_once_another_cell_names_it(scanner):
    value = draw("{alnum:32}")
    echo = cell(source=f"'{value}'", id="b")
    assert scanner.scan_notebook(notebook(copy.deepcopy(echo)), "a").findings == []
    result = scanner.scan_notebook(notebook(cell(source=f"IonQProvider('{value}')"), echo), "a")
    assert [finding.cell for finding in result.findings] == [0, 1]


# -- judgement ------------------------------------------------------------------------------------


def test_overlapping_hits_become_one_with_the_highest_rank():
    def hit(start, end, severity, issued=False):
        return Hit(0, 0, start, end, "r", "l", "t", severity, "m", "v", issued=issued)

    merged = merge(
        [hit(5, 9, "medium"), hit(0, 6, "high"), hit(20, 22, "low"), hit(8, 12, "low", issued=True)]
    )
    assert [(one.start, one.end, one.severity) for one in merged] == [(0, 12, "low"), (20, 22, "low")]
    assert merged[0].issued


def test_crn_is_reported_and_stays(scanner):
    text = draw('instance = "crn:v1:bluemix:public:quantum-computing:us-east:a/{hex:32}:{uuid}::"')
    result = scanner.scan_notebook(notebook(cell(source=text)), "a")
    assert [(f.rule, f.severity, f.action) for f in result.findings] == [("ibm-crn", "info", "reported")]
    assert result.redacted is None


# ruff: noqa: E501  # samples are as long as such texts are
HARD_NEGATIVES = [
    "{hex:40}", "sha256:{hex:64}", "{hex:128}", "{uuid}", "job_id = '{base32:20}'", "c{base32:19}", "commit {hex:40}",
    "sha512-{base64:86}==", 'api_key = os.environ["IBM_KEY"]', "token = getpass('token: ')", 'token = "YOUR_API_TOKEN_HERE_1"',
    "token=self._params.token", 'next_token = "page-two-of-the-listing"', "https://files.example.org/{hex:2}/{hex:60}/a.whl",
    'tokenizer = AutoTokenizer.from_pretrained("bert-base-uncased-v2")', "SECRET_NAME = 'projects/alpha/secrets/beta-2'",
    '<div id="{hex:32}"></div>', 'password = "********"', "Bearer <token>", "x = 'data:image/png;base64,{base64:400}'",
    "backend.run(qc, shots=1024, seed_simulator=123456789012345)", '"kernel_id": "{uuid}"', "  File /opt/conda/lib/python3.11/site-packages/qiskit_ibm_runtime/accounts/account_manager2.py",
    "TestQuantumCircuitTranspilerPassManagerStage", "{'00000': 512, '11111': 512}", "https://docs.google.com/spreadsheets/d/{random:44}/edit",
]  # fmt: skip


@pytest.mark.parametrize("template", HARD_NEGATIVES)
def test_what_is_no_secret_is_not_flagged(scanner, template):
    for seed in range(30):
        assert scanner.scan_text(draw(template, seed), "a").findings == [], seed


def test_unit_in_a_list_of_lines_stays_a_list_of_lines():
    holder = {"source": ["a\n", "secret\n", "b"]}
    unit = Unit("source", "a\nsecret\nb", holder, "source", joint="")
    unit.replace([(2, 8, MARK)])
    assert holder == {"source": ["a\n", f"{MARK}\n", "b"]}


def test_private_key_over_many_lines_becomes_one_marker(scanner):
    key = draw("{pem}")
    source = ["key = '''\n", *key.splitlines(keepends=True)]
    source[-1] += "\n"
    source.append("'''")
    result = scanner.scan_notebook(notebook(cell(source=source)), "a")
    assert "".join(result.redacted["cells"][0]["source"]) == f"key = '''\n{marker('private-key')}\n'''"


def test_notebook_of_nbformat_3_is_read_cell_by_cell(issued):
    token = draw("{alnum:40}", 5)
    code = {
        "cell_type": "code",
        "language": "python",
        "collapsed": False,
        "prompt_number": 1,
        "metadata": {},
        "input": [f"part = '{token[:15]}'\n", f"api_token = part + '{token[15:]}'"],
        "outputs": [
            {"output_type": "pyout", "metadata": {}, "prompt_number": 1, "html": ["<b>\n", f"{VALUE}</b>"]}
        ],
    }
    heading = {"cell_type": "heading", "level": 1, "metadata": {}, "source": "Results of the run"}
    sheets = [{"cells": [heading, code], "metadata": {}}, {"metadata": {}, "cells": [copy.deepcopy(code)]}]
    original = {"metadata": {"name": "old"}, "nbformat": 3, "nbformat_minor": 0, "worksheets": sheets}
    result = issued.scan_notebook(original, "a.ipynb")
    assert {finding.cell for finding in result.findings} == {1, 2}
    assert result.cells == {}
    assert not any(token[:15] in text or VALUE in text for text in strings(result.redacted))
    assert list(result.redacted) == list(original)
    assert [list(sheet) for sheet in result.redacted["worksheets"]] == [list(sheet) for sheet in sheets]
    assert result.redacted["worksheets"][0]["cells"][0] == heading
    nbformat.validate(nbformat.from_dict(result.redacted))
