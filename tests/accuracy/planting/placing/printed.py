"""More of what commands and libraries print: CSV, pretty-printed trees, histories, manifests, chunks."""

from __future__ import annotations

import json
import pprint
from random import Random

from ..draft import Draft
from ..model import Planted
from ..naming import environment, filler_line, literal, mention, statement, variable
from ..randoms import WORDS, slug


def _key(rng: Random, p: Planted) -> str:
    return rng.choice(p.format.client.keys)


def records(rng: Random, draft: Draft, p: Planted) -> None:
    """CSV and delimited text; the header names the column."""
    p.shape = "CSV with a header"
    mark = rng.choice([",", ";", "\t", " | "])
    columns = ["id", "host", _key(rng, p), "active"]
    value = f'"{p.value}"' if mark in p.value else p.value
    rows = [[str(i), slug(rng), "", "0"] for i in range(rng.randint(0, 2))]
    rows.append(["7", p.format.client.host, value, "1"])
    draft.code("!head accounts.csv", draft.stream("\n".join(mark.join(row) for row in [columns, *rows])))


def pretty(rng: Random, draft: Draft, p: Planted) -> None:
    """Pretty-printed mappings over several lines."""
    p.shape = "pretty-printed mapping"
    key = _key(rng, p)
    tree = {
        "name": rng.choice(WORDS),
        "endpoint": f"https://{p.format.client.host}",
        key: p.value,
        "options": {"shots": 1000, "seed": None},
    }
    rich = "{\n" + "".join(f"    \x1b[32m'{k}'\x1b[0m: {v!r},\n" for k, v in tree.items()) + "}"
    text = rng.choice(
        [
            pprint.pformat(tree, width=60),
            rich,
            "\n".join(f"{k:<20}{v}" for k, v in tree.items()),
            "\n".join(f"  .{k} = {v!r}" for k, v in tree.items()),
        ]
    )
    if rng.random() < 0.5:
        draft.code("config", draft.result(text__plain=text))
    else:
        draft.code("pprint(config)", draft.stream(text))


def manifest(rng: Random, draft: Draft, p: Planted) -> None:
    """Compose files, properties, Terraform variables, YAML block scalars, lists of name and value."""
    p.shape = "manifest"
    name, key, value = environment(rng, p.format.client), _key(rng, p), p.value
    text = rng.choice(
        [
            f"services:\n  lab:\n    image: lab:1.4\n    environment:\n      - {name}={value}\n      - DEBUG=1",
            f"services:\n  lab:\n    environment:\n      {name}: {value}",
            f"lab.host={p.format.client.host}\nlab.{key}={value}\nlab.retries=3",
            f'variable "{key}" {{\n  default = "{value}"\n}}',
            f"{key}: >-\n  {value}\nretries: 3",
            f"env:\n  - name: {name}\n    value: {value}\n  - name: DEBUG\n    value: '1'",
            json.dumps([{"name": "DEBUG", "value": "1"}, {"name": name, "value": value}]),
            f'<add key="{key}" value="{value}" />',
            f"ENV {name} {value}\nRUN pip install qiskit",
            f"{name}={value} jupyter lab --no-browser",
        ]
    )
    draft.code(rng.choice(["!cat lab.conf", "print(open('compose.yml').read())"]), draft.stream(text))


def history(rng: Random, draft: Draft, p: Planted) -> None:
    """Code that is shown again: %history, %%writefile's cat, a diff, inspect.getsource."""
    p.shape = "code shown as output"
    call = statement(rng, p.format.client, literal(rng, p.value)).splitlines()
    assign = [f"{variable(rng, p.format.client)} = {literal(rng, p.value)}"]
    lines = rng.choice([call, assign])
    mark = rng.choice(["", "  12: ", "+", "-", ">>> ", "In [3]: "])
    text = "\n".join(mark + line for line in ["import numpy as np", *lines, "qc = build()"])
    draft.code(
        rng.choice(["%history -n", "!git diff", "!cat run.py", "print(inspect.getsource(run))"]),
        draft.stream(text),
    )


def chunks(rng: Random, draft: Draft, p: Planted) -> None:
    """Text stored in pieces that end anywhere, as nbformat allows: a list of strings, adjacent streams."""
    text = f"{filler_line(rng)}\n{mention(p, rng, quiet=False)}\n{filler_line(rng)}\n"
    at = text.find(p.value)
    cut = (at + rng.randint(2, len(p.value) - 2)) if at >= 0 else len(text) // 2
    p.shape += " stored in pieces"
    output = draft.stream("")
    output["text"] = [text[:cut], text[cut:]]
    draft.code("run()", output)


def label_above(rng: Random, draft: Draft, p: Planted) -> None:
    """The name stands on the line above the value."""
    p.shape = "label on the line above"
    key = _key(rng, p).replace("_", " ")
    text = rng.choice(
        [
            f"{p.format.client.product} {key}:\n{p.value}",
            f"Your new {key} (shown once):\n\n    {p.value}\n\nStore it safely.",
            f"=== {key.upper()} ===\n{p.value}\n===",
            f"Enter {p.format.client.product} {key}:\n{p.value}",
        ]
    )
    draft.code("client.create_key()", draft.stream(text))


def repeated(rng: Random, draft: Draft, p: Planted) -> None:
    """Named once in an output, bare in others: what was learnt in one place holds for the notebook."""
    text = mention(p, rng, quiet=False)
    p.shape += ", bare elsewhere"
    draft.code("check()", draft.stream(f"{filler_line(rng)}\ntrying {p.value} ...\n"))
    draft.code("config", draft.stream(text))
    draft.code("tree", draft.display(application__json={"seen": [p.value, "x"]}))


def statement_sql(rng: Random, draft: Draft, p: Planted) -> None:
    """SQL that sets a password or a secret."""
    p.shape = "SQL"
    value = p.value.replace("'", "''")
    draft.code(
        rng.choice(
            [
                f"%%sql\nCREATE USER lab IDENTIFIED BY '{value}';",
                f"%%sql\nALTER USER runner WITH PASSWORD '{value}';",
                f"cur.execute(\"ALTER ROLE runner PASSWORD '{value}'\")",
                f"%sql INSERT INTO accounts (name, {_key(rng, p).replace('-', '_')}) VALUES ('lab', '{value}')",
            ]
        )
    )


SHAPES = (
    (records, 3),
    (pretty, 4),
    (manifest, 4),
    (history, 4),
    (chunks, 3),
    (label_above, 2),
    (repeated, 2),
    (statement_sql, 1),
)
