"""What lets a value pass: comments in source, the allowlist, baselines of ours and of other scanners."""

import hashlib
import io
import json
import random
from datetime import date

import pytest

from qsec_jupyter.cli.scan import main
from qsec_jupyter.scan.baseline import Baseline, fingerprint, fingerprint_key
from qsec_jupyter.scan.files import pragma, project
from qsec_jupyter.scan.rules.samples import fill

SECRET = fill("{random:44}", random.Random(2))[0]
OTHER = fill("{random:44}", random.Random(3))[0]
LINE = f"service(token='{SECRET}')"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def folder(tmp_path, home, monkeypatch):
    monkeypatch.setenv("QSEC_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.py").write_text(LINE + "\n")
    yield tmp_path
    (home / "kept.json").unlink(missing_ok=True)


@pytest.fixture
def scan(capsys):
    def call(*arguments):
        status = main([*map(str, arguments), "--format", "json"])
        captured = capsys.readouterr()
        assert SECRET not in captured.out + captured.err
        return status, json.loads(captured.out), captured.err

    return call


def notebook(source, output="", **metadata):
    outputs = [{"output_type": "stream", "name": "stdout", "text": output}] if output else []
    cell = {"cell_type": "code", "id": "a", "metadata": metadata, "outputs": outputs, "execution_count": 1}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{**cell, "source": source}]}


# -- comments -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        LINE + "  # pragma: allowlist secret",
        LINE + "  # noqa  # Pragma: WhiteList Secret",
        LINE + "  # nosec B105",
        LINE + "  // gitleaks:allow",
        LINE + "  <!-- qsec: allow -->",
        "# pragma: allowlist nextline secret\n" + LINE,
    ],
)
@pytest.mark.parametrize("name", ["a.py", "a.ipynb"])
def test_comment_in_source_lets_its_line_pass(folder, scan, line, name):
    (folder / name).write_text(json.dumps(notebook(line)) if name == "a.ipynb" else f"x = 1\n{line}\ny = 2\n")
    status, report, _ = scan(name)
    assert (status, [one["kept"] for one in report["findings"]]) == (0, ["pragma"])
    before = (folder / name).read_bytes()
    assert scan(name, "--fix")[0] == 0
    assert (folder / name).read_bytes() == before


@pytest.mark.parametrize(
    "line",
    [
        "# pragma: allowlist secret\n" + LINE,  # the line above
        LINE + "\n# pragma: allowlist secret",  # the line below
        f"x = '# pragma: allowlist secret'; {LINE}",  # before the value
        LINE + "  # pragma: allow",
        LINE + "  # nosecret",
        "# pragma: allowlist nextline secret\n\n" + LINE,
    ],
)
def test_comment_elsewhere_lets_nothing_pass(folder, scan, line):
    (folder / "a.py").write_text(line + "\n")
    assert scan("a.py")[0] == 1


def test_comment_counts_for_its_own_line_only(folder, scan):
    (folder / "a.py").write_text(f"{LINE}  # nosec\nservice(token='{OTHER}')\n")
    status, report, _ = scan("a.py")
    assert (status, [one["action"] for one in report["findings"]]) == (1, ["kept", "reported"])


@pytest.mark.parametrize("name", ["run.log", "out.txt", "data.json", "page.html", "x.csv", "noname"])
def test_what_was_printed_cannot_switch_the_scanner_off(folder, scan, name):
    (folder / name).write_text(LINE + "  # pragma: allowlist secret\n")
    assert scan(name)[0] == 1


@pytest.mark.parametrize(
    "name", ["a.py", "b/x.R", "Dockerfile", ".env", ".env.local", "c.yaml", "c.YML", "x.qasm", ".bashrc"]
)
def test_source_is_known_by_its_name(name):
    assert pragma.is_source(name)


# -- the allowlist --------------------------------------------------------------------------------


def allow(folder, **entry):
    entry = {"reason": "made up", "owner": "alice", "expires": "2999-12-31", **entry}
    (folder / "qsec.toml").write_text(
        "[[scan.allow]]\n" + "".join(f'{key} = "{value}"\n' for key, value in entry.items())
    )


def mark():
    return fingerprint(fingerprint_key(), SECRET)


@pytest.mark.parametrize(
    ("entry", "passes"),
    [
        ({"path": "*.py"}, True),
        ({"path": "/run.py"}, True),
        ({"path": "other/"}, False),
        ({"rule": "ibm-quantum-token"}, None),
        ({"rule": "none"}, False),
        ({"path": "*.py", "rule": "none"}, False),
        ({"fingerprint": "0" * 32}, False),
        ({"fingerprint": "mark"}, True),
        ({"fingerprint": "mark", "path": "*.md"}, False),
    ],
)
def test_entry_covers_what_all_of_it_says(folder, scan, entry, passes):
    rule = scan("run.py")[1]["findings"][0]["rule"]
    if passes is None:
        entry, passes = {"rule": rule}, True
    allow(folder, **{key: mark() if value == "mark" else value for key, value in entry.items()})
    status, report, _ = scan("run.py")
    assert status == (0 if passes else 1)
    if passes:
        assert report["findings"][0]["kept"] == "allowlist: made up (alice, until 2999-12-31)"


def test_expired_entry_lets_nothing_pass_and_is_named(folder, scan):
    allow(folder, path="*.py", expires="2020-01-31")
    status, report, said = scan("run.py")
    assert status == 1
    assert report["expired"][0]["owner"] == "alice"
    assert "the exception for path *.py (alice) no longer counts: expired on 2020-01-31" in said


def test_entry_counts_on_its_last_day(folder, scan):
    today = date.today()  # noqa: DTZ011  # the user's own day
    allow(folder, path="*.py", expires=str(today))
    assert scan("run.py")[0] == 0


def test_settings_exclude_paths_and_choose_the_severity(folder, scan):
    (folder / "data").mkdir()
    (folder / "data" / "x.py").write_text(LINE)
    (folder / "pyproject.toml").write_text('[tool.qsec.scan]\nexclude = ["data/", "run.py"]\n')
    status, report, _ = scan(".")
    assert (status, report["findings"], report["scanned"]["excluded"]) == (0, [], 2)
    (folder / "qsec.toml").write_text('[scan]\nfail-on = "critical"\n')
    severity = scan("run.py")[1]["findings"][0]["severity"]
    assert scan("run.py")[0] == (1 if severity == "critical" else 0)
    assert scan("run.py", "--fail-on", "info")[0] == 1


# -- our baseline ---------------------------------------------------------------------------------


def test_baseline_holds_what_is_there_and_reports_what_is_new(folder, scan, capsys):
    assert main([".", "--baseline", "b.json", "--create"]) == 0
    assert "b.json: 1 known, 1 new, 0 gone" in capsys.readouterr().err
    status, report, _ = scan(".", "--baseline", "b.json")
    assert (status, report["findings"][0]["kept"]) == (0, "baseline: unaudited")
    (folder / "run.py").write_text(f"# moved down\n\n{LINE}\nservice(token='{OTHER}')\n")
    status, report, _ = scan(".", "--baseline", "b.json")
    assert (status, [one["action"] for one in report["findings"]]) == (1, ["kept", "reported"])


def test_baseline_is_found_by_the_settings(folder, scan, capsys):
    (folder / "qsec.toml").write_text('[scan]\nbaseline = ["known.json"]\n')
    assert main([".", "--create"]) == 0
    assert scan(".")[0] == 0
    with pytest.raises(Exception, match="baseline_exists"):
        main([".", "--create"])


def test_value_in_another_file_is_not_covered(folder, scan):
    main([".", "--baseline", "b.json", "--create"])
    (folder / "copy.py").write_text(LINE)
    assert scan(".", "--baseline", "b.json")[0] == 1


def test_baseline_is_useless_for_guessing(folder):
    main([".", "--baseline", "b.json", "--create"])
    text = (folder / "b.json").read_text()
    content = json.loads(text)
    key, (entry,) = bytes.fromhex(content["salt"]), content["findings"]
    data = SECRET.encode()
    assert SECRET not in text
    for kind in ("md5", "sha1", "sha256", "sha512", "blake2b"):
        assert hashlib.new(kind, data).hexdigest()[:32] not in text
        assert fingerprint(key, SECRET) not in text  # one fast digest is not enough
    assert entry["fingerprint"] == project.ProjectBaseline(key).fingerprint(SECRET)


def test_update_keeps_verdicts_adds_what_is_new_and_drops_what_is_gone(folder, scan, capsys):
    main([".", "--baseline", "b.json", "--create"])
    content = json.loads((folder / "b.json").read_text())
    content["findings"][0] |= {"verdict": "false-positive", "reason": "made up", "owner": "alice"}
    (folder / "b.json").write_text(json.dumps(content))
    (folder / "new.py").write_text(f"service(token='{OTHER}')\n")
    main([".", "--baseline", "b.json", "--update"])
    entries = json.loads((folder / "b.json").read_text())["findings"]
    assert [(one["path"], one["verdict"]) for one in entries] == [
        ("new.py", "unaudited"),
        ("run.py", "false-positive"),
    ]
    assert json.loads((folder / "b.json").read_text())["salt"] == content["salt"]
    (folder / "run.py").write_text("")
    main(["run.py", "--baseline", "b.json", "--update"])  # says nothing about new.py
    assert [one["path"] for one in json.loads((folder / "b.json").read_text())["findings"]] == ["new.py"]


def answers(monkeypatch, *lines):
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(lines) + "\n"))


def test_audit_asks_shows_the_line_without_the_value_and_keeps_the_verdict(folder, scan, capsys, monkeypatch):
    (folder / "run.py").write_text(f"a = 1; service(token='{SECRET}', other='{OTHER}')  # see\n")
    main([".", "--baseline", "b.json", "--create"])
    answers(monkeypatch, "?", "n", "a test vector", "b", "n", "a test vector", "y")
    assert main([".", "--baseline", "b.json", "--audit"]) == 0
    said = capsys.readouterr().out
    assert SECRET not in said
    assert OTHER not in said
    assert "a = 1; service(token='[44 characters]', other='[44 characters]')  # see" in said
    assert "1 of 2: run.py, text, line 1" in said
    first, second = json.loads((folder / "b.json").read_text())["findings"]
    assert (first["verdict"], first["reason"]) == ("false-positive", "a test vector")
    assert first["owner"]
    assert first["audited_at"].endswith("Z")
    assert second["verdict"] == "secret"
    status, report, _ = scan(".", "--baseline", "b.json")
    assert (status, [one["action"] for one in report["findings"]]) == (
        1,
        ["kept", "reported"],
    )  # a real one is


def test_audit_can_be_left_and_taken_up(folder, capsys, monkeypatch):
    (folder / "run.py").write_text(f"service(token='{SECRET}')\nservice(token='{OTHER}')\n")
    main([".", "--baseline", "b.json", "--create"])
    answers(monkeypatch, "y", "q")
    main([".", "--baseline", "b.json", "--audit"])
    assert "2 known, 1 not judged yet" in capsys.readouterr().out
    answers(monkeypatch, "s")
    main([".", "--baseline", "b.json", "--audit"])
    assert "1 of 1" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '{"format": 2, "salt": "", "findings": []}',
        '{"format": 1, "salt": "zz", "findings": []}',
        "12",
        '{"results": 3}',
        '[{"a": 1}]',
    ],
)
def test_damaged_baseline_is_refused_by_name(folder, text):
    (folder / "b.json").write_text(text)
    with pytest.raises(Exception, match="baseline_invalid") as caught:
        main([".", "--baseline", "b.json"])
    assert "b.json" in str(caught.value)


# -- baselines of others --------------------------------------------------------------------------


def test_detect_secrets_baseline_is_read(folder, scan):
    def write(**more):
        entry = {
            "type": "Secret Keyword",
            "filename": "run.py",
            "hashed_secret": hashlib.sha1(SECRET.encode()).hexdigest(),
            "is_verified": False,
            "line_number": 1,
            **more,
        }
        (folder / ".secrets.baseline").write_text(
            json.dumps(
                {"version": "1.5.0", "plugins_used": [], "filters_used": [], "results": {"run.py": [entry]}}
            )
        )

    write()
    status, report, _ = scan(".", "--baseline", ".secrets.baseline", "--exclude", ".secrets.baseline")
    assert (status, report["findings"][0]["kept"]) == (0, "baseline: .secrets.baseline")
    write(is_secret=False)
    assert scan("run.py", "--baseline", ".secrets.baseline")[0] == 0
    write(is_secret=True)
    assert scan("run.py", "--baseline", ".secrets.baseline")[0] == 1
    write(hashed_secret="0" * 40)
    assert scan("run.py", "--baseline", ".secrets.baseline")[0] == 1


@pytest.mark.parametrize(
    ("secret", "line", "file", "passes"),
    [
        (SECRET, 99, "run.py", True),
        ("REDACTED", 1, "run.py", True),
        ("", 1, "run.py", True),
        ("REDACTED", 2, "run.py", False),
        (OTHER, 1, "run.py", False),
        (SECRET, 1, "other.py", False),
    ],
)
def test_gitleaks_report_is_read(folder, scan, secret, line, file, passes):
    entry = {
        "RuleID": "generic-api-key",
        "StartLine": line,
        "EndLine": line,
        "File": file,
        "Secret": secret,
        "Commit": "",
    }
    (folder / "leaks.json").write_text(json.dumps([entry]))
    assert scan("run.py", "--baseline", "leaks.json")[0] == (0 if passes else 1)


@pytest.mark.parametrize(
    ("line", "passes"),
    [
        ("run.py:generic-api-key:1", True),
        ("run.py:generic-api-key:2", False),
        (f"{'a' * 40}:run.py:x:1", False),
    ],
)
def test_gitleaksignore_is_read(folder, scan, line, passes):
    (folder / ".gitleaksignore").write_text(f"# known\n\n{line}\n")
    assert scan("run.py", "--baseline", ".gitleaksignore")[0] == (0 if passes else 1)


def test_gitleaks_line_of_a_notebook_is_that_of_its_json(folder, scan):
    text = json.dumps(notebook(["x = 1\n", LINE]), indent=1)
    (folder / "a.ipynb").write_text(text)
    line = text[: text.index(SECRET)].count("\n") + 1
    assert scan("a.ipynb")[1]["findings"][0]["stored"]["line"] == line
    (folder / ".gitleaksignore").write_text(f"a.ipynb:generic-api-key:{line}\n")
    assert scan("a.ipynb", "--baseline", ".gitleaksignore")[0] == 0


def test_several_baselines_count_together(folder, scan):
    main(["run.py", "--baseline", "b.json", "--create"])
    (folder / "new.py").write_text(f"service(token='{OTHER}')\n")
    (folder / ".gitleaksignore").write_text("new.py:generic-api-key:1\n")
    assert scan("run.py", "new.py", "--baseline", "b.json", "--baseline", ".gitleaksignore")[0] == 0


# -- what a user kept in Jupyter ------------------------------------------------------------------


def test_choice_made_in_jupyter_counts_also_under_a_projects_baseline(folder, scan):
    main([".", "--baseline", "b.json", "--create"])
    (folder / "copy.py").write_text(LINE)
    Baseline().keep(mark(), "copy.py", "an example", "alice")
    status, report, _ = scan("copy.py", "--baseline", "b.json")
    assert (status, report["findings"][0]["kept"]) == (0, "an example (alice)")
