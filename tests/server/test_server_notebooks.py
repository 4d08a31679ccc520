"""The notebook behind a kernel, as the server knows it."""

import hashlib
import json

from qsec_jupyter.server.notebooks import Notebooks

EMPTY = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


class Sessions:
    def __init__(self, path: str) -> None:
        self.path = path

    async def get_session(self, kernel_id):
        return {"path": self.path, "kernel": {"id": kernel_id}}


async def test_notebook_is_told_by_path_and_digest_also_after_a_rename(jp_serverapp, jp_root_dir) -> None:
    (jp_root_dir / "a.ipynb").write_text(EMPTY)
    sessions = Sessions("RTC:a.ipynb")
    notebooks = Notebooks(sessions, jp_serverapp.contents_manager)
    first = await notebooks.of("k1")
    assert (first["path"], first["sha256"]) == ("a.ipynb", hashlib.sha256(EMPTY.encode()).hexdigest())
    (jp_root_dir / "a.ipynb").rename(jp_root_dir / "b.ipynb")
    sessions.path = "b.ipynb"
    assert (await notebooks.of("k1"))["path"] == "b.ipynb"


async def test_saved_anew_it_has_another_digest(jp_serverapp, jp_root_dir) -> None:
    import os

    path = jp_root_dir / "a.ipynb"
    path.write_text(EMPTY)
    notebooks = Notebooks(Sessions("a.ipynb"), jp_serverapp.contents_manager)
    before = await notebooks.of("k1")
    path.write_text(EMPTY + " ")
    os.utime(path, (1, 1))
    assert (await notebooks.of("k1"))["sha256"] != before["sha256"]


async def test_kernel_without_a_notebook_has_none(jp_serverapp) -> None:
    assert await Notebooks(jp_serverapp.session_manager, jp_serverapp.contents_manager).of("nobody") is None
    assert await Notebooks(Sessions("gone.ipynb"), jp_serverapp.contents_manager).of("k1") is None


async def test_data_class_is_the_one_that_the_stored_notebook_names(jp_serverapp, jp_root_dir) -> None:
    named = {**json.loads(EMPTY), "metadata": {"qsec": {"data_class": "confidential"}}}
    (jp_root_dir / "a.ipynb").write_text(json.dumps(named))
    (jp_root_dir / "b.ipynb").write_text(EMPTY)
    contents = jp_serverapp.contents_manager
    assert await Notebooks(Sessions("a.ipynb"), contents).data_class("k1") == "confidential"
    assert await Notebooks(Sessions("b.ipynb"), contents).data_class("k1") is None
    assert await Notebooks(Sessions("gone.ipynb"), contents).data_class("k1") is None
