"""A Jupyter Server with jupyter-collaboration, and one participant; run in that package's environment.

    python collaboration_server.py FOLDER TOKEN

Prints one JSON object: what the file, the shared document, its store and the coverage report hold
after a notebook with TOKEN in an output and in its source was shared and saved, and after its author
took it out of the source. jupyter-collaboration lies in an environment of its own, since it replaces
JupyterLab's drive for every test beside it.
"""

import asyncio
import json
import sys
import urllib.request
from pathlib import Path

from collaboration_app import tell

FOLDER, TOKEN = Path(sys.argv[1]), sys.argv[2]


def notebook():
    stream = {"output_type": "stream", "name": "stdout", "text": "1\n"}
    cell = {
        "cell_type": "code", "id": "c1", "metadata": {}, "outputs": [stream], "execution_count": 1,
        "source": "1",
    }  # fmt: skip
    return {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def store():
    return b"".join(file.read_bytes() for file in FOLDER.glob(".jupyter_ystore.db*"))


async def until(condition, seconds=20):
    for _ in range(int(seconds * 20)):
        if condition():
            return True
        await asyncio.sleep(0.05)
    return False


async def story(app):
    from pycrdt import Map, Text

    (collaboration,) = app.extension_manager.extension_apps["jupyter_server_ydoc"]
    file = FOLDER / "a.ipynb"
    file.write_text(json.dumps(notebook()))
    document = await collaboration.get_document(
        path="a.ipynb", content_type="notebook", file_format="json", copy=False, create=True
    )
    output = {"output_type": "stream", "name": "stdout", "text": Text(f"{TOKEN}\n")}
    document.ycells[0]["outputs"].append(Map(output))
    document.set_cell(0, source=f"token = '{TOKEN}'")
    told = {"store held it": await until(lambda: TOKEN.encode() in store(), 5)}
    told["file clean"] = await until(lambda: "redacted" in file.read_text() and TOKEN not in file.read_text())
    told["outputs clean"] = await until(lambda: TOKEN not in json.dumps(document.get_cell(0)["outputs"]))
    told["outputs still there"] = len(document.get_cell(0)["outputs"]) == 2
    told["source left to its author"] = TOKEN in document.get_cell(0)["source"]
    answer = await asyncio.to_thread(ask, app, "qsec/coverage?path=a.ipynb")
    told["coverage"] = {
        f"{row['surface']}: {row['route']}": row["state"]
        for row in answer["rows"]
        if "shared" in row["route"]
    }
    document.set_cell(0, source="token = qsec.credential('sandbox')")
    told["store clean at last"] = await until(lambda: TOKEN.encode() not in store())
    told["store still holds the document"] = await until(lambda: b"sandbox" in store())
    told["live source"] = document.get_cell(0)["source"]
    return told


def ask(app, route):
    request = urllib.request.Request(
        f"http://127.0.0.1:{app.port}/{route}", headers={"Authorization": "token t"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


tell(story, FOLDER, 90, ["--IdentityProvider.token=t", "--YDocExtension.document_save_delay=0.5"])
