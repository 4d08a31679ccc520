"""Secrets in rich output: HTML, JavaScript, SVG, LaTeX, JSON and plot specifications."""

from __future__ import annotations

import html
from random import Random
from typing import Any

from ..draft import Draft
from ..model import Planted
from ..naming import mention, variable
from ..randoms import WORDS


def entities(rng: Random, text: str) -> str:
    """Escape as HTML generators do; some write every character as a number."""
    style = rng.choice(["named", "named", "decimal", "hexadecimal"])
    if style == "named":
        return html.escape(text)
    return "".join(
        c if c.isalnum() or c == " " else f"&#{ord(c)};" if style == "decimal" else f"&#x{ord(c):X};"
        for c in text
    )


def html_table(rng: Random, draft: Draft, p: Planted) -> None:
    """A data frame; the header of the column or of the row names the value."""
    p.shape = "HTML table"
    key, value = rng.choice(p.format.client.keys), html.escape(p.value)
    column = f'<table border="1" class="dataframe">\n  <thead>\n    <tr style="text-align: right;">\n      <th></th>\n      <th>name</th>\n      <th>{key}</th>\n    </tr>\n  </thead>\n  <tbody>\n    <tr>\n      <th>0</th>\n      <td>lab-1</td>\n      <td>{value}</td>\n    </tr>\n  </tbody>\n</table>'
    row = f"<table><tr><td>host</td><td>{p.format.client.host}</td></tr><tr><td>{key}</td><td>{value}</td></tr></table>"
    draft.code("df", draft.result(text__html=rng.choice([column, row]), text__plain="<table>"))


def html_text(rng: Random, draft: Draft, p: Planted) -> None:
    """Visible text, with entities and inner tags."""
    text = mention(p, rng)
    body = entities(rng, text)
    p.shape += " in HTML text"
    draft.code(
        "display(HTML(s))",
        draft.display(
            text__html=rng.choice(
                [
                    f"<div class='alert'>{body}</div>",
                    f"<pre>{body}</pre>",
                    f"<p>Hallo<br/>{body}<br/>bis gleich</p>",
                    f"<details><summary>Info</summary><code>{body}</code></details>",
                ]
            )
        ),
    )


def html_attribute(rng: Random, draft: Draft, p: Planted) -> None:
    """Attributes of elements."""
    p.shape = "HTML attribute"
    key, value = rng.choice(p.format.client.keys), html.escape(p.value)
    host = p.format.client.host
    draft.code(
        "form",
        draft.display(
            text__html=rng.choice(
                [
                    f'<input type="password" name="{key}" value="{value}">',
                    f"<div id='app' data-{key.replace('_', '-')}='{value}'></div>",
                    f'<a href="https://{host}/jobs?id=7&amp;{key.replace("-", "_")}={value}">jobs</a>',
                    f'<meta name="{key}" content="{value}"/>',
                    f'<iframe src="https://{host}/embed?{key.replace("-", "_")}={value}" width="700"></iframe>',
                ]
            )
        ),
    )


def script(rng: Random, draft: Draft, p: Planted) -> None:
    """JavaScript, of its own or inside HTML."""
    p.shape = "JavaScript"
    client = p.format.client
    key = rng.choice(client.keys)
    code = rng.choice(
        [
            f"var {variable(rng, client)} = '{p.value}';\nrequire(['chart'], c => c.draw());",
            f"window.config = {{host: '{client.host}', '{key}': \"{p.value}\"}};",
            f"fetch('https://{client.host}/jobs', {{headers: {{'{key}': '{p.value}'}}}}).then(r => r.json());",
        ]
    )
    bundle = (
        {"application__javascript": code}
        if rng.random() < 0.5
        else {"text__html": f"<div id='c'></div><script>{code}</script>"}
    )
    draft.code("show()", draft.display(**bundle))


def svg(rng: Random, draft: Draft, p: Planted) -> None:
    """Text, title, description or an attribute in a drawing."""
    text = entities(rng, mention(p, rng).replace("\n", " "))
    p.shape += " in SVG"
    inner = rng.choice(
        [
            f'<text x="10" y="20">{text}</text>',
            f"<title>{text}</title>",
            f"<desc>{text}</desc>",
            f'<text><tspan dy="1em">{text}</tspan></text>',
        ]
    )
    draft.code(
        "draw()",
        draft.display(
            image__svg_plus_xml=f'<svg xmlns="http://www.w3.org/2000/svg" width="300" height="60"><rect width="10" height="9"/>{inner}</svg>'
        ),
    )


def latex(rng: Random, draft: Draft, p: Planted) -> None:
    """Formulae and tables in LaTeX; special characters are escaped."""
    p.shape = "LaTeX"
    key = rng.choice(p.format.client.keys)
    text = f"{key}: {p.value}"
    body = "".join("\\" + c if c in "_#%&$" else c for c in text)
    draft.code(
        "Latex(s)",
        draft.display(
            text__latex=rng.choice(
                [
                    f"$$\\text{{{body}}}$$",
                    f"\\begin{{tabular}}{{ll}}\nhost & lab \\\\\n{body.replace(': ', ' & ')} \\\\\n\\end{{tabular}}",
                ]
            )
        ),
    )


def markdown(rng: Random, draft: Draft, p: Planted) -> None:
    """Markdown as an output."""
    draft.code("Markdown(text)", draft.display(text__markdown=f"**Status**\n\n`{mention(p, rng)}`\n"))


def json_tree(rng: Random, draft: Draft, p: Planted) -> None:
    """A JSON display; the key names the value, at any depth."""
    p.shape = "JSON tree"
    client = p.format.client
    leaf: Any = {"host": client.host, rng.choice(client.keys): p.value}
    for _ in range(rng.randint(0, 3)):
        leaf = rng.choice([{rng.choice(WORDS): leaf, "n": rng.randint(0, 9)}, [leaf, {"ok": True}]])
    kind = rng.choice(
        ["application__json", "application__vnd_dot_lab_dot_config_plus_json", "application__geo_plus_json"]
    )
    draft.code(
        "JSON(account)",
        draft.display(**{kind: {"data": leaf}, "text__plain": "<IPython.core.display.JSON object>"}),
    )


def plot(rng: Random, draft: Draft, p: Planted) -> None:
    """Vega and plotly specifications: data, titles, hover texts and URLs of data."""
    text = mention(p, rng)
    client = p.format.client
    key = rng.choice(client.keys)
    p.shape += " in a plot"
    vega = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "mark": "bar",
        "title": text,
        "data": {"values": [{"a": 1, "b": rng.random()}]},
    }
    data = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "mark": "point",
        "data": {"values": [{"host": client.host, key: p.value, "n": 3}]},
    }
    plotly = {
        "data": [{"type": "scatter", "x": [1, 2], "y": [3, 4], "text": ["run", text]}],
        "layout": {"title": {"text": "Läufe"}},
    }
    kind, spec = rng.choice(
        [
            ("application__vnd_dot_vegalite_dot_v5_plus_json", vega),
            ("application__vnd_dot_vegalite_dot_v5_plus_json", data),
            ("application__vnd_dot_plotly_dot_v1_plus_json", plotly),
        ]
    )
    draft.code("fig.show()", draft.display(**{kind: spec}))


def dataresource(rng: Random, draft: Draft, p: Planted) -> None:
    """A table as data."""
    p.shape = "data resource"
    key = rng.choice(p.format.client.keys)
    spec = {
        "schema": {"fields": [{"name": "name", "type": "string"}, {"name": key, "type": "string"}]},
        "data": [{"name": "lab-1", key: p.value}],
    }
    draft.code("df", draft.display(application__vnd_dot_dataresource_plus_json=spec))


SHAPES = (
    (html_table, 4),
    (html_text, 4),
    (html_attribute, 3),
    (script, 3),
    (svg, 2),
    (latex, 2),
    (markdown, 2),
    (json_tree, 4),
    (plot, 3),
    (dataresource, 2),
)
