"""Files that are broken, hostile or in motion: each is named with a reason, and the rest is scanned."""

import bz2
import contextlib
import gzip
import io
import json
import os
import random
import tarfile
import tempfile
import threading
import time
import zipfile
from pathlib import Path

import pytest

from qsec_jupyter.cli.scan import main
from qsec_jupyter.scan.files import archive, content, rewrite
from qsec_jupyter.scan.files.model import Unreadable
from qsec_jupyter.scan.rules.samples import fill

TOKEN = fill("ghp_{random:30}", random.Random(1))[0]
SECRET = fill("{random:44}", random.Random(2))[0]
LINE = f"service(token='{SECRET}')\n"
MARKER = "[redacted: ibm-quantum]"

posix = pytest.mark.skipif(os.name != "posix", reason="files of POSIX")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def folder(tmp_path, home, monkeypatch):
    """A folder with one file that holds a secret, beside which each test puts something bad."""
    monkeypatch.setenv("QSEC_HOME", str(home))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zz.py").write_text(LINE)
    return tmp_path


@pytest.fixture
def scan(capsys):
    def call(*arguments):
        status = main([*map(str, arguments), "--format", "json"])
        captured = capsys.readouterr()
        report = json.loads(captured.out)
        assert SECRET not in captured.out + captured.err
        return status, report, captured.err

    return call


def found(report):
    return sorted({one["path"] for one in report["findings"]})


def why(report, path):
    return next(one["why"] for one in report["problems"] if one["path"] == path)


def notebook(source, **more):
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{**cell, "source": source, **more}]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f'{{"cells": [{{"source": "{LINE[:-1]}"', "not valid JSON"),
        (f'["{LINE[:-1]}"]', "not a JSON object"),
        ("", "not valid JSON"),
        ("[" * 10_000 + f'"{LINE[:-1]}"' + "]" * 10_000, "nested too deeply"),
        ('{"a":' * 10_000 + f'"{LINE[:-1]}"' + "}" * 10_000, "nested too deeply"),
    ],
)
def test_notebook_that_is_none_is_read_as_text_and_named(folder, scan, text, reason):
    (folder / "bad.ipynb").write_text(text)
    status, report, _ = scan(".")
    assert reason in why(report, "bad.ipynb")
    assert found(report) == (["bad.ipynb", "zz.py"] if SECRET in text else ["zz.py"])
    assert status == 1
    (folder / "zz.py").unlink()
    (folder / "bad.ipynb").write_text(text.replace(SECRET, ""))
    assert scan(".")[0] == 2


@pytest.mark.parametrize(
    "data",
    [
        json.dumps({**notebook(LINE), "metadata": {"x": float("nan"), "y": float("-inf")}}).encode(),
        json.dumps(notebook(LINE + "\ud800 \udfff")).encode(),
        json.dumps(notebook(LINE + "\0")).encode(),
        json.dumps(notebook(LINE)).replace("\\n", "\n").encode(),  # a bare line end inside a string
        b"\xef\xbb\xbf" + json.dumps(notebook(LINE)).encode(),
        json.dumps(notebook(LINE)).encode("utf-16"),
        json.dumps(notebook(LINE)).encode("utf-16-be"),
        json.dumps(notebook(LINE)).encode("utf-32"),
    ],
    ids=["NaN", "surrogates", "NUL", "bare control", "mark", "UTF-16", "UTF-16 without mark", "UTF-32"],
)
def test_unusual_notebook_is_read_and_rewritten_in_its_own_form(folder, scan, data):
    file = folder / "odd.ipynb"
    file.write_bytes(data)
    status, report, _ = scan("odd.ipynb")
    assert (status, found(report), report["problems"]) == (1, ["odd.ipynb"], [])
    assert scan("odd.ipynb", "--fix")[0] == 0
    old, new = content.decode(data), content.decode(file.read_bytes())
    assert (old.encoding, old.mark) == (new.encoding, new.mark)
    assert json.loads(new.text, strict=False)["cells"][0]["source"].startswith(f"service(token='{MARKER}')")
    assert scan("odd.ipynb")[0] == 0


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1", "cp1252"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_text_keeps_its_encoding_and_line_ends(folder, scan, encoding, ending):
    text = f"# gr\u00fc\u00dfe{ending}{LINE.strip()}{ending}end"
    (folder / "a.py").write_bytes(text.encode(encoding))
    assert scan("a.py", "--fix")[0] == 0
    assert (folder / "a.py").read_bytes() == text.replace(SECRET, MARKER).encode(encoding)


@pytest.mark.parametrize("indent", [None, 0, 1, 2, 4, "\t"])
@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_notebook_keeps_its_layout(folder, scan, indent, ascii_only, end):
    before = notebook(["# gr\u00fc\u00dfe\n", LINE])
    text = json.dumps(before, indent=indent, ensure_ascii=ascii_only) + end
    (folder / "a.ipynb").write_bytes(text.encode())
    assert scan("a.ipynb", "--fix")[0] == 0
    assert (folder / "a.ipynb").read_bytes() == text.replace(SECRET, MARKER).encode()


def test_tight_json_stays_tight(folder, scan):
    text = json.dumps(notebook(LINE), separators=(",", ":"))
    (folder / "a.ipynb").write_text(text)
    scan("a.ipynb", "--fix")
    assert (folder / "a.ipynb").read_text() == text.replace(SECRET, MARKER)


def test_nul_in_a_text_hides_nothing(folder, scan):
    (folder / "a.log").write_bytes(b"\0" * 50 + LINE.encode() + b"\0")
    assert found(scan("a.log")[1]) == ["a.log"]


def test_binary_file_is_counted_and_is_no_problem(folder, scan):
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\xff" * 50)
    _, report, _ = scan(".")
    assert (report["scanned"]["binary"], report["problems"]) == (1, [])


def test_line_of_100_megabytes_is_read_in_seconds(folder, scan):
    (folder / "long.log").write_text("x" * 50_000_000 + " " + LINE.strip() + " " + "y" * 50_000_000)
    start = time.process_time()
    _, report, _ = scan("long.log")
    (one,) = report["findings"]
    assert (one["line"], one["column"]) == (1, 50_000_002 + len("service(token='"))
    assert time.process_time() - start < 20


def test_entities_that_grow_without_end_are_not_expanded(folder, scan):
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 40))
    svg = f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY l0 "lol">{laughs}]><svg><text>&l39;</text></svg>\n'
    output = {"output_type": "display_data", "metadata": {}, "data": {"image/svg+xml": svg}}
    (folder / "a.svg").write_text(svg + LINE)
    (folder / "a.ipynb").write_text(json.dumps(notebook("1", outputs=[output])))
    start = time.process_time()
    assert found(scan(".")[1]) == ["a.svg", "zz.py"]
    assert time.process_time() - start < 10


# -- archives -------------------------------------------------------------------------------------


def zipped(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name, data)
    return stream.getvalue()


def tarred(members, mode="w"):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as made:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            made.addfile(info, io.BytesIO(data))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "inside"),
    [
        ("a.zip", zipped({"x/run.py": LINE.encode()}), "a.zip!/x/run.py"),
        ("a.tar", tarred({"x/run.py": LINE.encode()}), "a.tar!/x/run.py"),
        ("a.tar.gz", tarred({"run.py": LINE.encode()}, "w:gz"), "a.tar.gz!/run.py"),
        ("a.tgz", tarred({"run.py": LINE.encode()}, "w:gz"), "a.tgz!/run.py"),
        ("a.tar.xz", tarred({"run.py": LINE.encode()}, "w:xz"), "a.tar.xz!/run.py"),
        ("run.log.gz", gzip.compress(LINE.encode()), "run.log.gz!/run.log"),
        ("run.log.bz2", bz2.compress(LINE.encode()), "run.log.bz2!/run.log"),
        ("n.zip", zipped({"n.ipynb": json.dumps(notebook(LINE)).encode()}), "n.zip!/n.ipynb"),
        ("b.zip", zipped({"in.zip": zipped({"run.py": LINE.encode()})}), "b.zip!/in.zip!/run.py"),
    ],
)
def test_archive_is_opened_in_memory(folder, scan, name, data, inside):
    (folder / name).write_bytes(data)
    before = sorted(folder.iterdir())
    status, report, _ = scan(name)
    assert (status, found(report)) == (1, [inside])
    assert scan(name, "--fix")[0] == 1  # an archive is not rewritten, and that is not hidden
    assert (folder / name).read_bytes() == data
    assert sorted(folder.iterdir()) == before


def test_bombs_are_read_as_far_as_the_bound(folder, scan):
    zeros = bytes(3_000_000)
    (folder / "a.gz").write_bytes(gzip.compress(LINE.encode() + zeros))
    (folder / "b.zip").write_bytes(zipped({"first.py": LINE.encode(), "zeros": zeros}))
    (folder / "c.tar.gz").write_bytes(tarred({"first.py": LINE.encode(), "zeros": zeros}, "w:gz"))
    (folder / "d.zip").write_bytes(zipped({f"{n}": zeros[:400_000] for n in range(5)}))
    _, report, _ = scan(".", "--max-size", 1_000_000)
    assert all(
        "unpacks to more than 1,000,000 bytes" in why(report, name)
        for name in ("a.gz", "b.zip", "c.tar.gz", "d.zip")
    )
    assert found(report) == ["a.gz!/a", "b.zip!/first.py", "c.tar.gz!/first.py", "zz.py"]


def test_header_of_a_tar_that_claims_gigabytes_is_bounded(folder, scan):
    info = tarfile.TarInfo("././@PaxHeader")
    info.type, info.size = tarfile.XHDTYPE, 8 * 1024**3
    (folder / "a.tgz").write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(2_000_000)))
    assert "unpacks to more than" in why(scan("a.tgz", "--max-size", 1_000_000)[1], "a.tgz")


def test_hole_in_a_sparse_member_is_bounded(folder, scan):
    info = tarfile.TarInfo("hole")
    info.pax_headers = {
        "GNU.sparse.major": "0",
        "GNU.sparse.size": str(10**12),
        "GNU.sparse.map": "0,0,1000000000000,0",
    }
    (folder / "a.tar").write_bytes(info.tobuf(tarfile.PAX_FORMAT) + bytes(1024))
    assert scan("a.tar", "--max-size", 1_000_000)[1]["problems"]


def test_archives_inside_archives_end(folder, scan):
    data = LINE.encode()
    for depth in range(6):
        data = zipped({f"{depth}.zip" if depth else "run.py": data})
    (folder / "deep.zip").write_bytes(data)
    _, report, _ = scan("deep.zip")
    assert "2 deep" in report["problems"][0]["why"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK\x03\x04 but no more",
        zipped({"a": b"x" * 100})[:-30],
        b"PK\x05\x06" + bytes(8) + b"\xff" * 10,
        tarred({"a": b"x"}, "w:gz")[:40],
    ],
)
@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.gz"])
def test_damaged_archive_is_named(folder, scan, name, data):
    (folder / name).write_bytes(data)
    status, report, _ = scan(name)
    assert status in {0, 2}
    assert [one["path"] for one in report["problems"]] == ([name] if status else [])
    assert all("archive" in one["why"] or "directory" in one["why"] for one in report["problems"])


def test_encrypted_member_is_named(folder, scan):
    data = bytearray(zipped({"a.py": LINE.encode()}))
    for sign in (b"PK\x03\x04", b"PK\x01\x02"):
        at = data.find(sign) + (6 if sign == b"PK\x03\x04" else 8)
        data[at] |= 1  # general purpose bit 0
    (folder / "a.zip").write_bytes(data)
    assert "encrypted" in why(scan("a.zip")[1], "a.zip")


def test_members_are_counted(monkeypatch):
    monkeypatch.setattr(archive, "MEMBERS", 3)
    for name, data in (
        ("a.zip", zipped({str(n): b"x" for n in range(5)})),
        ("a.tar", tarred({str(n): b"x" for n in range(5)})),
    ):
        read = []
        with pytest.raises(Unreadable, match="more than 3 members"):
            read += archive.members(name, data, 100_000)


# -- the file system ------------------------------------------------------------------------------


@posix
def test_links_that_loop_end_and_are_named(folder, scan):
    (folder / "self").symlink_to("self")
    (folder / "up").symlink_to(folder)
    (folder / "gone").symlink_to("nowhere")
    status, report, _ = scan(".")
    assert found(report) == ["zz.py"]
    assert [one["path"] for one in report["problems"]] == ["self"]
    assert status == 1


@posix
def test_link_to_a_file_elsewhere_is_scanned_once(folder, scan, tmp_path_factory):
    other = tmp_path_factory.mktemp("other") / "real.py"
    other.write_text(LINE)
    (folder / "one.py").symlink_to(other)
    (folder / "two.py").symlink_to(other)
    (folder / "inside.py").symlink_to("zz.py")
    assert found(scan(".")[1]) == ["one.py", "zz.py"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_and_devices_are_not_opened(folder, scan):
    os.mkfifo(folder / "pipe")
    status, report, _ = scan(".")
    assert (status, report["problems"]) == (1, [])  # a folder may hold one
    status, report, _ = scan("pipe", "/dev/zero")
    assert status == 2
    assert {one["why"] for one in report["problems"]} == {"it is no regular file"}


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that cannot be read")
def test_file_whose_reading_fails_is_named(folder, scan):
    status, report, _ = scan("/proc/self/mem", "zz.py")
    assert why(report, "/proc/self/mem") == "Input/output error"
    assert (status, found(report)) == (1, ["zz.py"])


@posix
def test_what_may_not_be_read_is_named(scan, monkeypatch):
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to other users
        folder = Path(name)
        monkeypatch.setenv("QSEC_HOME", name + "/home")
        monkeypatch.chdir(folder)
        (folder / "zz.py").write_text(LINE)
        (folder / "a.py").write_text(LINE)
        (folder / "a.py").chmod(0)
        (folder / "closed").mkdir(mode=0)
        (folder / "home").mkdir()
        with as_a_user_without_rights(folder):
            _, report, _ = scan(".", "--exclude", "home/")
        assert {one["path"]: one["why"] for one in report["problems"]} == dict.fromkeys(
            ["a.py", "closed"], "Permission denied"
        )
        assert found(report) == ["zz.py"]


@contextlib.contextmanager
def as_a_user_without_rights(folder):
    """Root can read everything, so root becomes nobody for a while."""
    if os.geteuid():
        yield
        return
    for path in (folder, *folder.iterdir()):
        os.chown(path, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("change", ["rewritten", "grown"])
def test_file_that_changes_whenever_it_is_read(folder, scan, monkeypatch, change):
    count = iter(range(100))

    def fstat(descriptor):
        status = os.stat(descriptor)  # noqa: PTH116  # a descriptor
        if change == "grown":
            with (folder / "busy.log").open("a") as log:
                log.write("one more line\n")
        else:
            (folder / "busy.log").write_text(f"{next(count):09}" + LINE)
        return status

    (folder / "busy.log").write_text(LINE)
    with monkeypatch.context() as patch:
        patch.setattr(content.os, "fstat", fstat)
        data = None
        with contextlib.suppress(Unreadable):
            data, _ = content.read_file("busy.log", 10_000)
    assert data is None if change == "rewritten" else data.decode().startswith(LINE)


def test_log_that_is_being_written_is_read(folder, scan):
    stop = threading.Event()

    def write():
        with (folder / "busy.log").open("a", buffering=1) as log:
            log.write(LINE)
            while not stop.wait(0.0005):
                log.write("a line of a program that runs on\n")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        time.sleep(0.05)
        for _ in range(20):
            _, report, _ = scan(".")
            assert found(report) == ["busy.log", "zz.py"]
            assert report["problems"] == []
    finally:
        stop.set()
        writer.join()


def test_growing_log_is_not_rewritten_under_its_writer(folder, scan, monkeypatch):
    write = rewrite.rewrite

    def late(path, *rest):
        with (folder / "zz.py").open("a") as log:
            log.write("more\n")
        write(path, *rest)

    monkeypatch.setattr(rewrite, "rewrite", late)
    assert "changed after it was read" in why(scan("zz.py", "--fix")[1], "zz.py")
    assert (folder / "zz.py").read_text() == LINE + "more\n"


def test_larger_file_is_named_and_not_read(folder, scan):
    (folder / "big.log").write_text(LINE * 100)
    status, report, _ = scan("big.log", "--max-size", 1000)
    assert status == 2
    assert why(report, "big.log") == "it is larger than 1,000 bytes and was not read"


def test_name_that_no_terminal_should_obey_is_shown_harmless(folder, capsys):
    (folder / "\x1b[2J\x1b]0;owned\x07.py").write_text(LINE)
    (folder / os.fsdecode(b"caf\xe9.py")).write_text(LINE)
    assert main(["."]) == 1
    out = capsys.readouterr()
    assert "\x1b" not in out.out + out.err
    for form in ("json", "sarif", "junit"):
        assert main([".", "--format", form, "-o", "report"]) == 1
        assert b"\x1b" not in (folder / "report").read_bytes()
        (folder / "report").unlink()


# -- rewriting ------------------------------------------------------------------------------------


def test_mode_times_and_attributes_are_kept(folder, scan):
    file = folder / "zz.py"
    file.chmod(0o751)
    os.utime(file, ns=(1_000_000_000_000_000_001, 1_100_000_000_000_000_002))
    assert scan("zz.py", "--fix")[0] == 0
    status = file.stat()
    assert status.st_mode & 0o7777 == 0o751
    assert status.st_mtime_ns == 1_100_000_000_000_000_002
    assert file.read_text() == LINE.replace(SECRET, MARKER)
    assert list(folder.iterdir()) == [folder / "zz.py"]


@posix
def test_link_stays_a_link_and_its_target_is_rewritten(folder, scan):
    (folder / "link.py").symlink_to("zz.py")
    assert scan("link.py", "--fix")[0] == 0
    assert (folder / "link.py").is_symlink()
    assert SECRET not in (folder / "zz.py").read_text()


@posix
def test_other_name_of_a_rewritten_file_is_not_forgotten(folder, scan):
    os.link(folder / "zz.py", folder / "twin.py")
    assert "another name" in why(scan("zz.py", "--fix")[1], "zz.py")


def test_backup_keeps_the_old_content_and_is_never_overwritten(folder, scan):
    (folder / "zz.py").chmod(0o640)
    assert scan("zz.py", "--fix", "--backup", ".orig")[0] == 0
    backup = folder / "zz.py.orig"
    assert backup.read_text() == LINE
    assert backup.stat().st_mode & 0o777 == 0o640
    (folder / "zz.py").write_text(LINE + "# again\n")
    status, report, _ = scan("zz.py", "--fix", "--backup", ".orig")
    assert (status, (folder / "zz.py").read_text()) == (1, LINE + "# again\n")
    assert "backup zz.py.orig exists" in why(report, "zz.py")


@pytest.mark.parametrize("step", ["fsync", "replace", "copystat"])
def test_failure_half_way_leaves_everything_as_it_was(folder, scan, monkeypatch, step):
    def fail(*_):
        raise OSError(28, "No space left on device")

    where = {
        "fsync": (os, "fsync"),
        "replace": (rewrite.Path, "replace"),
        "copystat": (rewrite.shutil, "copystat"),
    }
    monkeypatch.setattr(*where[step], fail)
    status, report, _ = scan("zz.py", "--fix")
    assert status == 1
    assert why(report, "zz.py") == "it was not rewritten: No space left on device"
    assert (folder / "zz.py").read_text() == LINE
    assert list(folder.iterdir()) == [folder / "zz.py"]
    assert report["findings"][0]["action"] == "reported"


def test_file_that_changed_after_it_was_read_is_not_rewritten(folder, scan, monkeypatch):
    write = rewrite.rewrite

    def late(path, *rest):
        (folder / "zz.py").write_text(LINE + "# saved by an editor\n")
        write(path, *rest)

    monkeypatch.setattr(rewrite, "rewrite", late)
    status, report, _ = scan("zz.py", "--fix")
    assert status == 1
    assert "changed after it was read" in why(report, "zz.py")
    assert (folder / "zz.py").read_text() == LINE + "# saved by an editor\n"


def test_read_only_file_is_left_alone(folder, scan, monkeypatch):
    monkeypatch.setattr(rewrite.os, "access", lambda *_: False)
    assert "read-only" in why(scan("zz.py", "--fix")[1], "zz.py")
    assert (folder / "zz.py").read_text() == LINE
