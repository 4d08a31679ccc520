"""Claim: a credential shows its masked form wherever objects are shown, and so does what it revealed.

A long value is tried as well: whoever shows a text of over fifty characters tends to show its beginning only,
or both ends, or breaks it into lines. Less than 24 characters of it, on their own, are not recognised.
"""

import random
import string
import sys
from pathlib import Path

import pytest

sys.path[:0] = [str(Path(__file__).parent.parent / part) for part in ("integration", "kernel")]

from qsec_kernels import Kernel, Peer  # noqa: E402
from qsec_routes import MARK, SETUP, everything  # noqa: E402

LONG = "".join(random.Random(7).choices(string.ascii_letters + string.digits, k=150))
TABLE = "import pandas; "
WAYS = {
    "a cell": "{0}",
    "in containers": "[{0}, ({0},), {{'k': {0}}}]",
    "print": "print({0}, [{0}])",
    "format": "f'{{{0}}} {{{0}!r}} {{{0}!s:>20}}'",
    "str and repr": "str({0}), repr({0}), '%s' % ({0},)",
    "whos": "x = {0}\n%whos str Credential",
    "capture": "%%capture caught\nprint({0}); display({0})",
    "captured": "caught.stdout, caught.outputs, caught.show()",
    "DataFrame": TABLE + "pandas.DataFrame({{'c': [{0}], 'd': [[{0}]]}})",
    "DataFrame, printed": TABLE + "print(pandas.DataFrame({{'c': [{0}]}}))",
    "Series": TABLE + "pandas.Series([{0}], index=[{0}])",
    "CSV": TABLE + "print(pandas.DataFrame({{'c': [{0}]}}).to_csv(), pandas.DataFrame([[{0}]]).to_json())",
    "array": "import numpy; numpy.array([{0}])",
    "rich": "import rich; rich.print({0}); rich.print([{0}]); rich.inspect({0}, private=True)",
    "rich table": "from rich.table import Table; t = Table('c'); t.add_row(str({0})); rich.print(t)",
    "pprint": "import pprint; pprint.pprint([{0}] * 3)",
    "reprlib": "import reprlib; reprlib.repr({0}), reprlib.repr([{0}])",
    "textwrap": "import textwrap; print(textwrap.fill(str({0}), 70)); print(textwrap.shorten(str({0}), 60))",
    "json": "import json; json.dumps({{'k': {0}}}, default=vars)",
    "Verbose": "%xmode Verbose\ndef f(argument): return 1 / 0\nf({0})",
    "Context": "%xmode Context\nf({0})",
    "Plain": "%xmode Plain\nf({0})",
    "assertion": "%xmode Context\nassert {0} is None, {0}",
    "key error": "{{}}[{0}]",
    "inspect": "y = {0}\ny?",
    "dataclass": "import dataclasses\n@dataclasses.dataclass\nclass D: token: object\nD({0})",
    "namespace": "import types; types.SimpleNamespace(a={0})",
    "vars": "vars({0}) if hasattr({0}, '__dict__') else {0}",
    "dir": "dir({0})",
    "copies": "import copy; copy.copy({0}), copy.deepcopy([{0}])",
    "pickle": "import pickle; pickle.dumps({0}), pickle.loads(pickle.dumps({0}))",
    "locals": "def g(a): return locals()\ng({0})",
    "logging": "import logging; logging.error('it is %s %r', {0}, {0})",
    "warning": "import warnings; warnings.warn(str({0}))",
}


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with Peer(LONG) as peer, Kernel(peer, tmp_path_factory.mktemp("kernel")) as started:
        started.run(SETUP)
        yield started


@pytest.mark.parametrize("thing", ["credential", "v"])
@pytest.mark.parametrize("way", WAYS)
def test_neither_object_nor_revealed_text_shows_in(kernel, way, thing):
    shown = everything(kernel.run(WAYS[way].format(thing)))
    assert not any(LONG[at : at + 12] in shown for at in range(len(LONG) - 12)), shown


@pytest.mark.parametrize("way", ["a cell", "whos", "captured", "DataFrame", "rich", "vars", "Verbose"])
def test_the_masked_form_stands_there_instead(kernel, way):
    kernel.run(WAYS["capture"].format("credential"))
    # Without its brackets: rich prints those bold.
    assert MARK.strip("[]") in everything(kernel.run(WAYS[way].format("credential")))
