"""What source says of a value is found through aliases, parts, notations and calls, in every cell."""

import base64
import random
import re

import pytest

from qsec_jupyter.core.secret import Secret
from qsec_jupyter.scan.rules.samples import fill
from qsec_jupyter.scan.source import SourceReader
from qsec_jupyter.scan.source.tree import statements

VALUE = fill("{alnum:32}", random.Random(11))[0]
A, B, C = VALUE[:11], VALUE[11:20], VALUE[20:]


def notebook(*sources):
    cells = [
        {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}
        for source in sources
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


NAMED = {
    "alias": [f'x = "{VALUE}"', "y = x.strip()", 'os.environ["IONQ_API_KEY"] = y'],
    "tuple": [f'user, api_key = "me", "{VALUE}"'],
    "positional": [f'service = QiskitRuntimeService("ibm_cloud", "{VALUE}")'],
    "setter": [f'config.set_token("{VALUE}")'],
    "setattr": [f'setattr(client, "api_key", "{VALUE}")'],
    "environment": [f'os.environ.setdefault("IQM_TOKEN", "{VALUE}")'],
    "default": [f'def run(shots=10, token="{VALUE}"):\n    pass'],
    "returned": [f'def api_token():\n    return "{VALUE}"'],
    "wrapped": [f'token = SecretStr("{VALUE}")'],
    "option": [f'subprocess.run(["qctl", "--token", "{VALUE}"])'],
    "walrus": [f'if (token := "{VALUE}"):\n    pass'],
    "condition": [f'z = "{VALUE}" if local else None', "connect(token=z)"],
    "method": [f'class A:\n    def __init__(self):\n        self._k = "{VALUE}"', "IonQProvider(A()._k)"],
    "broken": [f'x = "{VALUE}"\nprint "old"\nfoo(', "DWaveSampler(token=x)"],
    "magic": [f'%time x = 1\n!ls\nx = "{VALUE}"', "IQMClient(url, token=x)"],
}
SPLIT = {
    "adjacent": [f'token = ("{A}"\n         "{B}" "{C}")'],
    "plus": [f'token = "{A}" + "{B}" + "{C}"'],
    "percent": [f'token = "%s%s{C}" % ("{A}", "{B}")'],
    "format": [f'token = "{{}}{{}}{{}}".format("{A}", "{B}", "{C}")'],
    "join": [f'token = "".join(["{A}", "{B}", "{C}"])'],
    "f-string": [f'a = "{A}"', f'b = "{B}"', f'token = f"{{a}}{{b}}{C}"'],
    "added": [f't = "{A}"', f't += "{B}"', f't += "{C}"', "save_account(token=t)"],
    "list": [f'parts = ["{A}", "{B}"]', f'parts.append("{C}")', 'token = "".join(parts)'],
    "bearer": [f'a = "{A}{B}"', f'headers = {{"Authorization": f"Bearer {{a}}{C}"}}'],
}
WRITTEN = {
    "base64": f'token = base64.b64decode("{base64.b64encode(VALUE.encode()).decode()}").decode()',
    "hexadecimal": f'token = bytes.fromhex("{VALUE.encode().hex()}").decode()',
    "escapes": f'token = "{"".join(f"{chr(92)}x{ord(c):02x}" for c in VALUE)}"',
    "numbers": f"token = bytes({list(VALUE.encode())}).decode()",
    "backwards": f'token = "{VALUE[::-1]}"[::-1]',
}


@pytest.mark.parametrize("case", NAMED)
def test_value_is_found_where_it_is_written(scanner, case):
    result = scanner.scan_notebook(notebook(*NAMED[case]), "a.ipynb")
    assert result.findings
    assert VALUE not in str(result.redacted)


@pytest.mark.parametrize("case", SPLIT)
def test_every_part_of_a_value_is_redacted(scanner, case):
    result = scanner.scan_notebook(notebook(*SPLIT[case]), "a.ipynb")
    for part in (A, B, C):
        assert part not in str(result.redacted)


@pytest.mark.parametrize("case", WRITTEN)
def test_value_in_a_notation_of_its_own_is_redacted(scanner, case):
    result = scanner.scan_notebook(notebook(WRITTEN[case]), "a.ipynb")
    assert result.findings
    for written in re.findall(r"[\w\\]{20,}|\[[0-9, ]+\]", WRITTEN[case]):
        assert written not in str(result.redacted)
        assert written not in result.redacted["cells"][0]["source"]


@pytest.mark.parametrize("case", SPLIT)
def test_issued_value_is_found_in_parts(scanner, known, case):
    known.add("sandbox", Secret(VALUE, "sandbox"))
    sources = [source.replace("token", "z").replace("Authorization", "z") for source in SPLIT[case]]
    result = scanner.scan_notebook(notebook(*sources), "a.ipynb")
    for part in (A, B, C):
        assert part not in str(result.redacted)


def test_what_was_redacted_is_found_again_at_the_next_save(scanner):
    first = notebook(*NAMED["alias"])
    for _ in range(3):
        assert scanner.scan_notebook(first, "a.ipynb").findings


@pytest.mark.parametrize(
    "source",
    [
        'name = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"',
        'job = service.job("d0f8k2c9xq7v3m5n1b4h")',
        'commit = "9fceb02d0ae598e95dc970b74767f19372d61af8"',
        'token = os.environ["Q1W2E3R4T5Y6_TOKEN"]',
        'title = "Run" + "2024a1b2c3d4e5" + "results"',
    ],
)
def test_what_nothing_names_is_left(scanner, source):
    assert not scanner.scan_notebook(notebook(source), "a.ipynb").findings


@pytest.mark.parametrize(
    "source", ["(" * 10_000, "x = " + "-" * 50_000 + "1", "a" + ".b" * 30_000, "\0", "x = '"]
)
def test_hostile_source_is_no_error(source):
    assert SourceReader().readings({0: source, 1: 'a = "b1C2d3E4f5" + a'}) is not None


def test_sum_of_thousands_of_parts_is_bounded():
    source = "token = " + " + ".join(f'"a{number}B"' for number in range(3000))
    assert len(SourceReader().readings({0: source})) < 4100


def test_broken_blocks_do_not_cost_the_others():
    found = statements('a = 1\ndef f(:\n    b = "2"\nc = 3\n')
    assert [node.lineno for node in found if hasattr(node, "targets")] == [1, 3, 4]
