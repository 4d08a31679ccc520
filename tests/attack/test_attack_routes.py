"""Claim: no way of a notebook through the Jupyter Server leaves a secret that the scanner knows.

Each test is one way out, or one trick with it, tried on a real server over HTTP.
"""

import asyncio
import base64
import json
import os
import random
import string

import pytest
from tornado.httpclient import HTTPClientError

from qsec_jupyter.core.classification import DataPolicy
from qsec_jupyter.server.extension import QsecExtension

TOKEN = "".join(random.Random(9).choices(string.ascii_letters + string.digits + "-_", k=44))


def notebook(source=f"token = '{TOKEN}'", output=f"{TOKEN}\n", **metadata):
    stream = {"output_type": "stream", "name": "stdout", "text": output}
    cell = {
        "cell_type": "code", "id": "c1", "metadata": {}, "outputs": [stream], "execution_count": 1,
        "source": source,
    }  # fmt: skip
    return {"cells": [cell], "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


@pytest.fixture
def jp_server_config(tmp_path, monkeypatch):
    monkeypatch.setenv("QSEC_HOME", str(tmp_path / "home"))
    return {
        "ServerApp": {"jpserver_extensions": {"qsec_jupyter.server": True}},
        "FileContentsManager": {"delete_to_trash": False},
    }


@pytest.fixture
def server(jp_serverapp, jp_fetch, jp_root_dir, monkeypatch):
    async def call(*args, **kwargs):
        return {"share_id": "s1"}

    monkeypatch.setattr(jp_serverapp.web_app.settings["qsec_control"], "call", call)
    return Server(jp_serverapp, jp_fetch, jp_root_dir)


class Server:
    def __init__(self, app, fetch, root):
        self.app, self.fetch, self.root = app, fetch, root

    @property
    def extension(self) -> QsecExtension:
        (extension,) = self.app.extension_manager.extension_apps["qsec_jupyter.server"]
        return extension

    def obey(self, **policy):
        self.extension.guard.obey(DataPolicy.from_dict(policy))

    async def contents(self, method, path="", body=None):
        answer = await self.fetch(
            "api", "contents", *path.split("/"), method=method,
            body=None if body is None else json.dumps(body), allow_nonstandard_methods=True,
        )  # fmt: skip
        return json.loads(answer.body) if answer.body else None

    async def save(self, path, content):
        return await self.contents("PUT", path, {"type": "notebook", "format": "json", "content": content})

    def plant(self, path, content=None):
        """Write a file as a kernel, a terminal or git does: past the server."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content or notebook()))
        return file

    def everything(self):
        return b"".join(file.read_bytes() for file in self.root.rglob("*") if file.is_file())

    async def settled(self):
        """Wait for what is done on threads that nobody waits for."""
        while tasks := self.extension.contents._tasks:
            await asyncio.wait(set(tasks))


async def refused(work):
    with pytest.raises(HTTPClientError) as caught:
        await work
    assert TOKEN.encode() not in caught.value.response.body
    return caught.value.code


# -- chunks ---------------------------------------------------------------------------------------


async def chunk(server, path, data, number):
    body = {"type": "file", "format": "base64", "content": base64.b64encode(data).decode(), "chunk": number}
    await server.contents("PUT", path, body)


@pytest.mark.parametrize("numbers", [(1, 2, -1), (2, 3, -1), (1, -1, -1), (0, 7, -1)])
async def test_secret_split_over_chunks_in_any_order_of_numbers(server, numbers) -> None:
    data = json.dumps(notebook()).encode()
    middle = data.index(TOKEN.encode()) + 20  # the first boundary is inside of the secret
    parts = (data[:middle], data[middle : middle + 10], data[middle + 10 :])
    for number, part in zip(numbers, parts, strict=True):
        await chunk(server, "a.ipynb", part, number)
    assert TOKEN.encode() not in server.everything()


async def test_upload_that_never_ends_is_scanned_all_the_same(server, monkeypatch) -> None:
    monkeypatch.setattr("qsec_jupyter.server.save.contents.UPLOAD_IDLE_SECONDS", 0.05)
    data = json.dumps(notebook()).encode()
    await chunk(server, "a.ipynb", data[:60], 1)
    await chunk(server, "a.ipynb", data[60:], 2)
    await asyncio.sleep(0.2)
    await server.settled()
    assert TOKEN.encode() not in server.everything()


# -- names ----------------------------------------------------------------------------------------


async def test_text_that_becomes_a_notebook_by_its_name(server) -> None:
    text = json.dumps(notebook())
    await server.contents("PUT", "a.txt", {"type": "file", "format": "text", "content": text})
    assert TOKEN.encode() in server.everything()  # reported: other text files are written as they are
    await server.contents("PATCH", "a.txt", {"path": "a.ipynb"})
    assert TOKEN.encode() not in server.everything()


async def test_planted_notebook_that_is_moved(server) -> None:
    server.plant("x/a.ipynb")
    await server.contents("PATCH", "x/a.ipynb", {"path": "b.ipynb"})
    assert TOKEN.encode() not in server.everything()
    report = json.loads((await server.fetch("qsec", "scan", params={"path": "b.ipynb"})).body)
    assert {one["action"] for one in report["findings"]} == {"redacted"}


async def test_planted_notebook_that_is_copied(server) -> None:
    server.plant("a.ipynb")
    model = await server.contents("POST", "", {"copy_from": "a.ipynb"})
    assert TOKEN not in (server.root / model["path"]).read_text()


async def test_link_is_followed_and_stays_a_link(server, tmp_path) -> None:
    target = tmp_path / "elsewhere.ipynb"
    target.write_text(json.dumps(notebook()))
    target.chmod(0o640)
    (server.root / "a.ipynb").symlink_to(target)
    await server.contents("PATCH", "a.ipynb", {"path": "b.ipynb"})
    assert (server.root / "b.ipynb").is_symlink()
    assert TOKEN not in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o640


# -- checkpoints ----------------------------------------------------------------------------------


async def test_checkpoint_that_is_older_than_the_extension_is_cleaned_by_the_next_save(server) -> None:
    old = server.plant(".ipynb_checkpoints/a-checkpoint.ipynb")
    changed = old.stat().st_mtime_ns
    await server.save("a.ipynb", notebook("1", "1\n"))
    await server.settled()
    assert TOKEN not in old.read_text()
    assert old.stat().st_mtime_ns == changed


async def test_restored_checkpoint_brings_no_secret_back(server) -> None:
    await server.save("a.ipynb", notebook("1", "1\n"))
    await server.settled()
    server.plant(".ipynb_checkpoints/a-checkpoint.ipynb")
    await server.fetch(
        "api", "contents", "a.ipynb", "checkpoints", "checkpoint", method="POST", body="", raise_error=True
    )
    assert TOKEN.encode() not in server.everything()


async def test_checkpoint_of_a_planted_file_is_clean(server) -> None:
    planted = server.plant("a.ipynb")
    await server.fetch("api", "contents", "a.ipynb", "checkpoints", method="POST", body="")
    await server.settled()
    planted.unlink()  # a file that nobody saved stays as it is: a tab may have it open
    assert b"redacted" in server.everything()
    assert TOKEN.encode() not in server.everything()


# -- what is read past the contents manager ---------------------------------------------------------


@pytest.mark.parametrize("query", [{}, {"download": "1"}])
async def test_download_of_a_planted_notebook(server, query) -> None:
    file = server.plant("a.ipynb")
    answer = await server.fetch("files", "a.ipynb", params=query)
    assert TOKEN.encode() not in answer.body
    assert json.loads(answer.body)["cells"][0]["id"] == "c1"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert TOKEN in file.read_text()  # whoever wrote it past the server may still need it


@pytest.mark.parametrize(
    "headers", [{"Range": "bytes=0-400"}, {"Range": "bytes=-300"}, {"If-None-Match": "*"}]
)
async def test_download_in_pieces(server, headers) -> None:
    server.plant("a.ipynb")
    assert TOKEN.encode() not in (await server.fetch("files", "a.ipynb", headers=headers)).body


async def test_download_of_other_files_is_as_before(server) -> None:
    (server.root / "a.bin").write_bytes(b"\xff\x00" * 50)
    (server.root / "a.txt").write_text("plain")
    assert (await server.fetch("files", "a.bin")).body == b"\xff\x00" * 50
    part = await server.fetch("files", "a.txt", headers={"Range": "bytes=1-2"})
    assert part.body == b"la"
    assert await refused(server.fetch("files", "missing.ipynb")) == 404
    assert await refused(server.fetch("files", "..", "..", "etc", "passwd")) in {400, 403, 404}
    (server.root / ".hidden.ipynb").write_text(json.dumps(notebook()))
    assert await refused(server.fetch("files", ".hidden.ipynb")) == 404


async def test_download_needs_a_login(server, http_server_client, jp_base_url) -> None:
    server.plant("a.ipynb")
    answer = await http_server_client.fetch(
        f"{jp_base_url}files/a.ipynb", raise_error=False, follow_redirects=False
    )
    assert answer.code in {302, 403}


@pytest.mark.parametrize("kind", ["html", "script", "markdown", "latex", "rst", "notebook", "asciidoc"])
async def test_export_of_a_planted_notebook(server, kind) -> None:
    content = notebook()
    svg = {"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'><text>{TOKEN}</text></svg>"}
    if kind != "latex":  # which needs Inkscape to draw it
        content["cells"][0]["outputs"].append({"output_type": "display_data", "metadata": {}, "data": svg})
    server.plant("a.ipynb", content)
    answer = await server.fetch("nbconvert", kind, "a.ipynb", request_timeout=60)
    body = answer.body
    if body[:2] == b"PK":
        import io
        import zipfile

        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            body = b"".join(archive.read(name) for name in archive.namelist())
    assert b"redacted" in body
    assert TOKEN.encode() not in body


# -- data classes ---------------------------------------------------------------------------------


async def test_restricted_notebook_with_a_secret_in_its_source_is_not_saved_and_not_lost(server) -> None:
    clean = notebook("1", "1\n", qsec={"data_class": "restricted"})
    await server.save("a.ipynb", clean)
    before = (server.root / "a.ipynb").read_bytes()
    with pytest.raises(HTTPClientError) as caught:
        await server.save("a.ipynb", notebook(qsec={"data_class": "restricted"}))
    message = json.loads(caught.value.response.body)["message"]
    assert caught.value.code == 422
    for part in ("Nothing was saved", "restricted", "cell 1", "still in this tab", "qsec.credential()"):
        assert part in message
    assert (server.root / "a.ipynb").read_bytes() == before
    report = json.loads((await server.fetch("qsec", "scan", params={"path": "a.ipynb"})).body)
    assert (report["blocked"], report["data_class"]) == (True, "restricted")
    assert TOKEN not in json.dumps(report)
    assert TOKEN not in report["cells"]["0"]["source"]


async def test_call_of_the_broker_is_offered_for_the_source_and_holds_no_secret(server) -> None:
    server.extension.guard.targets = [{"name": "sandbox", "provider": "simulator"}]
    await server.save("a.ipynb", notebook(f"token = '{TOKEN}'"))
    report = json.loads((await server.fetch("qsec", "scan", params={"path": "a.ipynb"})).body)
    offered = report["cells"]["0"]["broker"]
    assert offered == 'import qsec_jupyter as qsec\ntoken = qsec.credential("sandbox").reveal()'


@pytest.mark.parametrize("wish", ["public", "internal", "Restricted ", None, 0, [], {"restricted": "public"}])
async def test_notebook_does_not_lower_its_class_below_the_floor(server, wish) -> None:
    server.obey(default="restricted", floor="restricted")
    assert await refused(server.save("a.ipynb", notebook(qsec={"data_class": wish}))) == 422
    assert not (server.root / "a.ipynb").exists()


async def test_metadata_deep_in_a_cell_or_beside_it_names_no_class(server) -> None:
    server.obey(default="restricted")
    content = notebook(data_class="public", QSEC={"data_class": "public"})
    content["cells"][0]["metadata"] = {"qsec": {"data_class": "public"}}
    content["qsec"] = {"data_class": "public"}
    assert await refused(server.save("a.ipynb", content)) == 422


async def test_nothing_is_kept_where_the_class_does_not_allow_it(server) -> None:
    await server.save("a.ipynb", notebook())
    report = server.extension.guard.report("a.ipynb")
    marks = [one.fingerprint for one in report.findings]
    server.extension.guard.keep("a.ipynb", set(marks), "it is mine", "ada")
    await server.save("a.ipynb", notebook())
    assert TOKEN.encode() in server.everything()
    content = notebook(qsec={"data_class": "restricted"})
    assert await refused(server.save("a.ipynb", content)) == 422
    body = json.dumps({"path": "a.ipynb", "fingerprints": marks, "reason": "please"})
    assert await refused(server.fetch("qsec", "scan", "keep", method="POST", body=body)) == 403


async def test_issued_value_is_redacted_also_where_findings_are_only_shown(server) -> None:
    from qsec_jupyter.core.secret import Secret

    server.obey(rules={"internal": {"source": "show", "outputs": "show"}})
    server.extension.guard.known.add("sandbox", Secret("an-issued-value-9", "sandbox"))
    await server.save("a.ipynb", notebook("x = 'an-issued-value-9'", TOKEN))
    text = (server.root / "a.ipynb").read_text()
    assert "an-issued-value-9" not in text
    assert TOKEN in text
    actions = {one.surface: one.action for one in server.extension.guard.report("a.ipynb").findings}
    assert actions == {"source": "redacted", "output": "reported"}


async def test_text_file_of_a_class_that_blocks_is_refused_with_the_line(server) -> None:
    server.obey(default="confidential")
    body = {"type": "file", "format": "text", "content": f"\ntoken = '{TOKEN}'\n"}
    assert await refused(server.contents("PUT", "a.py", body)) == 422
    assert not (server.root / "a.py").exists()
    (server.root / "b.py").write_text(f"token = '{TOKEN}'")
    assert await refused(server.fetch("files", "b.py")) == 403


async def test_export_of_what_a_class_blocks_is_refused(server) -> None:
    server.plant("a.ipynb", notebook(qsec={"data_class": "restricted"}))
    assert await refused(server.fetch("nbconvert", "html", "a.ipynb")) == 500


@pytest.mark.parametrize(
    "pragma", ["# pragma: allowlist secret", "# noqa", "# gitleaks:allow", "# qsec: ignore"]
)
async def test_printed_pragma_never_works(server, pragma) -> None:
    await server.save("a.ipynb", notebook("1", f"token: {TOKEN}  {pragma}\n"))
    assert TOKEN.encode() not in server.everything()


# -- the disk -------------------------------------------------------------------------------------


async def test_saves_of_one_file_are_written_in_the_order_they_came(server, monkeypatch) -> None:
    guard = server.extension.guard
    scan = guard.before_save

    def slow_first(model, path, **more):
        if model["content"]["cells"][0]["source"] == "old":
            import time

            time.sleep(0.3)
        scan(model, path, **more)

    monkeypatch.setattr(guard, "before_save", slow_first)
    first = asyncio.ensure_future(server.save("a.ipynb", notebook("old", "")))
    await asyncio.sleep(0.05)
    await server.save("a.ipynb", notebook("new", ""))
    await first
    assert json.loads((server.root / "a.ipynb").read_text())["cells"][0]["source"] == ["new"]


async def test_full_disk_while_a_planted_file_is_redacted_leaves_it_whole_and_says_so(
    server, monkeypatch
) -> None:
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("qsec_jupyter.server.save.disk.write_atomically", full)
    file = server.plant("a.ipynb")
    before = file.read_bytes()
    await server.contents("PATCH", "a.ipynb", {"path": "b.ipynb"})
    assert (server.root / "b.ipynb").read_bytes() == before
    report = server.extension.guard.report("b.ipynb")
    assert {one.action for one in report.findings} == {"reported"}
    assert "could not be rewritten" in report.unscanned[-1]["why"]


async def test_file_that_changes_while_it_is_read_is_not_overwritten(server, monkeypatch) -> None:
    file = server.plant("a.ipynb")
    guard = server.extension.guard
    scan = guard.scan_text

    def meanwhile(text, path):
        file.write_text(json.dumps(notebook("somebody's newer work", f"{os.urandom(4).hex()}\n")))
        return scan(text, path)

    monkeypatch.setattr(guard, "scan_text", meanwhile)
    report = guard.clean_file(str(file), "a.ipynb")
    assert "newer work" in file.read_text()
    assert report.unscanned == () or "changing" in report.unscanned[0]["why"]


async def test_pipe_in_the_place_of_a_notebook_does_not_hang(server) -> None:
    os.mkfifo(server.root / "a.ipynb")
    report = server.extension.guard.clean_file(str(server.root / "a.ipynb"), "a.ipynb")
    assert "not a regular file" in report.unscanned[0]["why"]
