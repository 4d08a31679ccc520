"""Claim: a copy made by *Share safely*, its report and the answer hold no secret that the scanner knows.

A real server over HTTP; notebooks that were written past it, with a secret wherever one can be.
"""

import base64
import json
import re
from contextlib import suppress

import pytest
from test_attack_routes import TOKEN, jp_server_config, notebook, refused, server
from tornado.httpclient import HTTPClientError

__all__ = ["jp_server_config", "server"]

ALL = {"outputs": True, "execution_counts": True, "metadata": True}
SAID = f"token = '{TOKEN}'"


def hidden_in(place: str):
    """Return a notebook with the secret in one place, and its name."""
    found = notebook(source="x = 1", output="")
    cell = found["cells"][0]
    if place == "source":
        cell["source"] = SAID
    elif place == "list of lines":
        cell["source"] = ["a = 1\n", SAID]
    elif place == "output":
        cell["outputs"][0]["text"] = SAID
    elif place == "error":
        cell["outputs"] = [{"output_type": "error", "ename": "E", "evalue": SAID, "traceback": [SAID]}]
    elif place == "html":
        data = {"text/html": f"<b title='api_token={TOKEN}'>x</b>", "text/plain": "x"}
        cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]
    elif place == "json":
        data = {"application/json": {"qiskit": {"token": TOKEN}}}
        cell["outputs"] = [{"output_type": "display_data", "data": data, "metadata": {}}]
    elif place == "metadata":
        found["metadata"]["papermill"] = {"parameters": {"ibm_token": TOKEN}}
    elif place == "cell metadata":
        cell["metadata"]["api_token"] = TOKEN
    elif place == "tag":
        cell["metadata"]["tags"] = [f"token={TOKEN}"]
    elif place == "attachment":
        text = base64.b64encode(SAID.encode()).decode()
        found["cells"] = [
            {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "see ![](attachment:a.txt)",
             "attachments": {"a.txt": {"text/plain": text}}}
        ]  # fmt: skip
    elif place == "raw cell":
        found["cells"] = [{"cell_type": "raw", "id": "r", "metadata": {}, "source": SAID}]
    return found


PLACES = [
    "source", "list of lines", "output", "error", "html", "json", "metadata", "cell metadata", "tag",
    "attachment", "raw cell",
]  # fmt: skip


async def share(server, path, **more):
    answer = await server.fetch(
        "qsec", "share", method="POST", body=json.dumps({"path": path, **more}), headers={}
    )
    return answer.body, json.loads(answer.body)


@pytest.mark.parametrize("keep", [{}, ALL], ids=["stripped", "all-kept"])
async def test_a_secret_in_any_place_is_not_in_the_copy(server, keep) -> None:
    for number, place in enumerate(PLACES):
        server.plant(f"n{number}.ipynb", hidden_in(place))
        body, told = await share(server, f"n{number}.ipynb", keep=keep)
        written = [(server.root / told[name]).read_bytes() for name in ("path", "report")]
        for text in (body, *written):
            assert TOKEN.encode() not in text, place
            assert base64.b64encode(SAID.encode()) not in text, place
        json.loads(written[0])


async def test_what_is_kept_in_the_original_is_not_given_away(server) -> None:
    server.plant("a.ipynb", hidden_in("source"))
    guard = server.extension.guard
    for one in guard.scanner.scan_notebook(hidden_in("source"), "a.ipynb").findings:
        guard._baseline.keep(one.fingerprint, "a.ipynb", "mine", "ada")
    _, told = await share(server, "a.ipynb", keep=ALL)
    assert TOKEN not in (server.root / told["path"]).read_text()


@pytest.mark.parametrize(
    "to",
    [
        "../out.ipynb", "/../../out.ipynb", "a/../../out.ipynb", "%2e%2e/out.ipynb", "..\\out.ipynb",
        "a.ipynb", "out.py", ".ipynb", "there.ipynb", "\x00.ipynb",
    ],
)  # fmt: skip
async def test_a_copy_lies_inside_the_server_and_replaces_nothing(server, to) -> None:
    server.plant("a.ipynb")
    other = server.plant("there.ipynb", {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    before, outside = other.read_bytes(), set(server.root.parent.iterdir())
    with suppress(HTTPClientError):  # whatever says no is good
        await share(server, "a.ipynb", to=to)
    assert other.read_bytes() == before
    assert set(server.root.parent.iterdir()) == outside


@pytest.mark.parametrize("path", ["../secret.ipynb", "/etc/passwd", "none.ipynb", "folder", ""])
async def test_what_is_no_notebook_of_this_server_is_not_shared(server, path) -> None:
    (server.root.parent / "secret.ipynb").write_text(json.dumps(notebook()))
    (server.root / "folder").mkdir()
    body = json.dumps({"path": path})
    code = await refused(server.fetch("qsec", "share", method="POST", body=body))
    assert 400 <= code < 500
    assert not list(server.root.rglob("*shared*"))


async def test_a_name_of_a_notebook_does_nothing_in_the_report(server) -> None:
    name = "[click](javascript:alert(1)) <img src=x onerror=alert(1)> `x` | y.ipynb"
    server.plant(name, hidden_in("source"))
    _, told = await share(server, name)
    report = (server.root / told["report"]).read_text()
    for live in (r"(?<!\\)\[click\]", r"(?<!\\)<img", r"(?<!\\)\| y"):
        assert not re.search(live, report), live
