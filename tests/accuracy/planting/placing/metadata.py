"""Secrets beside the cells: metadata, papermill, widgets and attachments."""

from __future__ import annotations

import html
import json
from random import Random

from ..draft import Draft
from ..model import Planted
from ..naming import literal, mention
from ..randoms import WORDS, b64, guid, hexa


def papermill(rng: Random, draft: Draft, p: Planted) -> None:
    """Parameters of a papermill run, recorded in the metadata and injected as a cell."""
    p.shape = "papermill parameters"
    key = rng.choice([k for k in p.format.client.keys if k.isidentifier()] or ["token"])
    values = {"shots": 1000, key: p.value}
    block = draft.metadata.setdefault("papermill", {"version": "2.6.0", "parameters": {}, "exception": None})
    block["parameters"].update(values)
    if rng.random() < 0.5:
        draft.code(
            f"# Parameters\nshots = 1000\n{key} = {literal(rng, p.value)}\n",
            metadata={"tags": ["injected-parameters"]},
        )


def notebook(rng: Random, draft: Draft, p: Planted) -> None:
    """The notebook's own metadata."""
    p.shape = "notebook metadata"
    client = p.format.client
    key = rng.choice(client.keys)
    where = rng.choice(["colab", "vscode", "jupytext", rng.choice(WORDS)])
    content = rng.choice(
        [
            {key: p.value, "host": client.host},
            {"settings": {"profiles": [{key: p.value}]}},
            {"note": mention(p, rng)},
        ]
    )
    draft.metadata.setdefault(where, {}).update(content)


def cell(rng: Random, draft: Draft, p: Planted) -> None:
    """A cell's or an output's metadata."""
    p.shape = "cell metadata"
    key = rng.choice(p.format.client.keys)
    block = rng.choice(
        [
            {"run": {key: p.value}},
            {"executor": {"env": {key.upper(): p.value}}},
            {"description": mention(p, rng)},
        ]
    )
    if rng.random() < 0.6:
        draft.code("run()", metadata=block)
    else:
        output = draft.display(text__plain="<Figure>")
        output["metadata"] = block
        draft.code("plot()", output)


def widget(rng: Random, draft: Draft, p: Planted) -> None:
    """Saved widget state: password and text fields, HTML widgets, captured output."""
    state = draft.metadata.setdefault("widgets", {}).setdefault(
        "application/vnd.jupyter.widget-state+json", {"state": {}, "version_major": 2, "version_minor": 0}
    )["state"]
    ident = hexa(rng, 32)
    key = rng.choice(p.format.client.keys)
    p.shape = rng.choice(["password field", "text field", "HTML widget", "captured output", "select"])
    model, content = {
        "password field": ("PasswordModel", {"description": key, "value": p.value, "placeholder": "…"}),
        "text field": ("TextModel", {"description": f"{p.format.client.product} {key}", "value": p.value}),
        "HTML widget": ("HTMLModel", {"value": f"<b>{key}</b>: {html.escape(p.value)}"}),
        "captured output": (
            "OutputModel",
            {"outputs": [{"output_type": "stream", "name": "stdout", "text": mention(p, rng) + "\n"}]},
        ),
        "select": ("DropdownModel", {"description": key, "_options_labels": [p.value, "none"], "index": 0}),
    }[p.shape if p.shape in ("password field", "text field", "HTML widget", "select") else "captured output"]
    state[ident] = {
        "model_module": "@jupyter-widgets/controls",
        "model_module_version": "2.0.0",
        "model_name": model,
        "state": content,
    }
    draft.code(
        "box",
        draft.display(
            application__vnd_dot_jupyter_dot_widget_dash_view_plus_json={
                "model_id": ident,
                "version_major": 2,
                "version_minor": 0,
            }
        ),
    )


def attachment(rng: Random, draft: Draft, p: Planted) -> None:
    """A file that was dropped into a markdown cell."""
    text = mention(p, rng)
    p.shape += " in an attachment"
    name, kind, content = rng.choice(
        [
            ("notes.txt", "text/plain", b64(f"Notizen\n{text}\n".encode())),
            ("config.json", "application/json", b64(json.dumps({"id": guid(rng), "note": text}).encode())),
            (
                "plan.svg",
                "image/svg+xml",
                b64(
                    f'<svg xmlns="http://www.w3.org/2000/svg"><text>{html.escape(text)}</text></svg>'.encode()
                ),
            ),
            ("readme.txt", "text/plain", text),
        ]
    )
    draft.markdown(f"![{name}](attachment:{name})", attachments={name: {kind: content}})


SHAPES = ((papermill, 4), (notebook, 3), (cell, 3), (widget, 5), (attachment, 3))
