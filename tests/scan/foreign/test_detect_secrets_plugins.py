"""A baseline of detect-secrets chooses plugins; its own ones run only for a user who names it in person."""

import json
import random

import pytest

from qsec_jupyter.scan import ruleset
from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.foreign import collect
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.rules.samples import fill
from qsec_jupyter.scan.scanner import Scanner

DIGEST = fill("{hex:40}", random.Random(3))[0]
PLUGIN = """
import pathlib, re
from detect_secrets.plugins.base import RegexBasedDetector
pathlib.Path(__file__).with_name("ran").touch()

class AcmeDetector(RegexBasedDetector):
    secret_type = "Acme Thing"
    denylist = [re.compile("acme-thing-[0-9]{8}")]
"""


@pytest.fixture
def named(tmp_path):
    plugin = tmp_path / "plugin.py"
    plugin.write_text(PLUGIN)

    def make(*plugins, filters=()):
        file = tmp_path / ".secrets.baseline"
        content = {
            "version": "1.5.0",
            "plugins_used": list(plugins),
            "filters_used": list(filters),
            "results": {},
        }
        file.write_text(json.dumps(content))
        return str(file)

    make.custom = {"name": "AcmeDetector", "path": f"file://{plugin}"}
    make.ran = tmp_path / "ran"
    return make


def scan(tmp_path, text, sources=(), trusted=(), path="a.py"):
    rules = ruleset.load_rules(tmp_path, sources, trusted)
    scanner = Scanner(KnownValues(), Baseline(tmp_path / "kept.json"), b"k" * 32, rules)
    return {one.rule: one for one in scanner.scan_text(text, path).findings}, rules.refused


def test_plugin_that_is_left_out_is_run_where_a_baseline_wants_it(named, tmp_path):
    text = f"nothing\nx = '{DIGEST}'\n"
    assert not scan(tmp_path, text)[0]
    found, refused = scan(tmp_path, text, [named({"name": "HexHighEntropyString", "limit": 3.0})])
    one = found["detect-secrets/hex-high-entropy-string"]
    assert (one.line, one.column, one.end_column) == (2, 6, 46)
    assert refused == ()
    found, _ = scan(tmp_path, text, [named({"name": "HexHighEntropyString", "limit": 7.9})])
    assert not found


def test_filters_of_the_baseline_count(named, tmp_path):
    exclude = {"path": "detect_secrets.filters.regex.should_exclude_line", "pattern": ["x ="]}
    text = f"x = '{DIGEST}'\n"
    found, _ = scan(tmp_path, text, [named({"name": "HexHighEntropyString", "limit": 3}, filters=[exclude])])
    assert not found


def test_custom_plugin_is_run_only_for_a_user_who_names_the_file(named, tmp_path):
    file = named(named.custom)
    found, refused = scan(tmp_path, "acme-thing-12345678", [file])
    assert not found
    assert [(one.rule, "is a program" in one.why) for one in refused] == [("AcmeDetector", True)]
    assert not named.ran.exists()
    found, refused = scan(tmp_path, "acme-thing-12345678", trusted=[file])
    assert (list(found), refused) == (["detect-secrets/acme-thing"], ())
    assert named.ran.exists()


def test_custom_filter_of_a_project_is_not_run(named, tmp_path):
    (tmp_path / "filter.py").write_text(f"open({str(named.ran)!r}, 'w')\ndef skip(line): return True\n")
    custom = {"path": f"file://{tmp_path}/filter.py::skip"}
    file = named({"name": "HexHighEntropyString", "limit": 3}, filters=[custom])
    found, refused = scan(tmp_path, f"x = '{DIGEST}'\n", [file])
    assert found
    assert [one.rule for one in refused] == ["filters_used"]
    assert not named.ran.exists()


@pytest.mark.parametrize(
    ("plugin", "why"),
    [
        ({"name": "NoSuchDetector"}, "no such plugin"),
        ({"limit": 3}, "no name"),
        ("x", "no name"),
        ({"name": "X", "path": "file:///absent.py"}, "not there"),
    ],
)
def test_plugin_that_cannot_be_run_is_refused_by_name(named, plugin, why):
    (refused,) = collect([], trusted=[named(plugin)]).refused
    assert why in refused.why


@pytest.mark.parametrize("content", ["{", "[]", '{"results": {}}'])
def test_file_that_is_none_is_named(tmp_path, content):
    file = tmp_path / "b.baseline"
    file.write_text(content)
    (refused,) = collect([str(file)]).refused
    assert refused.file == str(file)


def test_settings_of_the_process_are_as_they_were(named, tmp_path):
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.settings import get_settings

    before = get_settings().json()
    scan(tmp_path, "acme-thing-12345678", trusted=[named(named.custom)])
    assert get_settings().json() == before
    assert "Acme Thing" not in get_mapping_from_secret_type_to_class()
