"""Secrets in code, markdown and raw cells."""

from __future__ import annotations

import json
from random import Random

from ..draft import Draft
from ..model import Planted
from ..naming import BLAND, environment, literal, mention, statement, variable
from ..randoms import WORDS

REMARKS = (
    "# connect",
    "# Zugang einrichten",
    "# TODO: move to env",
    "# nur zum Testen",
    "# credentials",
    "# log in first",
    "",
)


def call(rng: Random, draft: Draft, p: Planted) -> None:
    """The literal stands in the client's call."""
    p.shape = "literal in a call"
    draft.code(f"{rng.choice(REMARKS)}\n{statement(rng, p.format.client, literal(rng, p.value))}".lstrip())


def assign(rng: Random, draft: Draft, p: Planted) -> None:
    """A variable is assigned, and often used a line later."""
    p.shape = "assignment"
    name = variable(rng, p.format.client)
    value = literal(rng, p.value)
    line = rng.choice(
        [
            f"{name} = {value}",
            f"{name}={value}",
            f"{name}: str = {value}",
            f"{name} = {value}.strip()",
            f"{name} = str({value})",
            f"{name} = {value}  # {rng.choice(WORDS)}",
        ]
    )
    after = statement(rng, p.format.client, name) if rng.random() < 0.5 else f"print(len({name}))"
    draft.code(f"import os\n{line}\n{after}")


def environ(rng: Random, draft: Draft, p: Planted) -> None:
    """The environment is set from Python."""
    p.shape = "os.environ"
    name, value = environment(rng, p.format.client), literal(rng, p.value)
    draft.code(
        "import os\n"
        + rng.choice(
            [
                f"os.environ['{name}'] = {value}",
                f'os.environ["{name}"]={value}',
                f"os.environ.setdefault('{name}', {value})",
                f"os.environ.update({{'{name}': {value}, 'DEBUG': '1'}})",
                f"os.environ.update({name}={value})",
                f"os.putenv('{name}', {value})",
                f"key = os.getenv('{name}', {value})",
                f"key = os.environ.get('{name}') or {value}",
                f"if '{name}' not in os.environ:\n    os.environ['{name}'] = {value}",
            ]
        )
    )


def magic(rng: Random, draft: Draft, p: Planted) -> None:
    """Line and cell magics and shell escapes."""
    p.shape = "magic or shell"
    client, value = p.format.client, p.value
    name = environment(rng, client)
    choices = [
        f"%env {name}={value}",
        f"%env {name} {value}",
        f"%set_env {name}={value}",
        f"!export {name}={value} && python run.py",
        f"!{name}={value} python run.py --shots 1000",
        f"%%bash\nexport {name}='{value}'\npython run.py",
        f"%%sh\nset -e\n{name}={value}\nenv | sort",
        f'%%R\nSys.setenv({name} = "{value}")',
        f"%%javascript\nconst {variable(rng, client)} = '{value}';\nconsole.log('ready');",
        f'!echo "{name}={value}" >> .env',
        f"%%writefile .env\n# local settings\n{name}={value}\nDEBUG=0",
        f"%%capture out\n%env {name}={value}",
    ]
    choices += ["!" + line.format(v=value) for line in client.shells] * 3
    choices += [f"%%writefile ~/{path}\n{text.format(v=value)}" for path, text in client.files] * 3
    draft.code(rng.choice(choices))


def mapping(rng: Random, draft: Draft, p: Planted) -> None:
    """Dictionaries, keyword bundles and attributes."""
    p.shape = "dictionary or attribute"
    client, value = p.format.client, literal(rng, p.value)
    key = rng.choice(client.keys)
    name = key.replace("-", "_")
    draft.code(
        rng.choice(
            [
                f"config = {{\n    'url': 'https://{client.host}',\n    '{key}': {value},\n    'shots': 1024,\n}}",
                f"config['{key}'] = {value}",
                f"creds = dict(user='nina', {name}={value})"
                if name.isidentifier()
                else f"creds = {{'{key}': {value}}}",
                f"accounts = {{'{rng.choice(WORDS)}': {{'{key}': {value}}}, '{rng.choice(WORDS)}': None}}",
                f"settings.{name} = {value}",
                f"setattr(client, '{name}', {value})",
                f"params = [('{key}', {value}), ('limit', 10)]",
                f"class Settings:\n    host = '{client.host}'\n    {name} = {value}\n",
                f"@dataclass\nclass Config:\n    {name}: str = {value}\n    retries: int = 3",
                f"class Settings(BaseSettings):\n    {name}: SecretStr = SecretStr({value})",
                f"user, {name}, host = 'nina', {value}, '{client.host}'",
                f"def connect({name}={value}, verbose=False):\n    return make_client({name})",
                f"parser.add_argument('--{name.replace('_', '-')}', default={value}, help='{client.product}')",
                f"box = widgets.Password(value={value}, description='{key}')\ndisplay(box)",
                f"{name} = {value} if live else None",
                f"if not ({name} := {value}):\n    raise SystemExit",
                f"params = {{'limit': 5, '{key}': {value}}}\nr = requests.get('https://{client.host}/jobs', params=params)",
                f"cfg = json.loads('''{json.dumps({'host': client.host, key: p.value})}''')"
                if "\n" not in p.value
                else f"cfg = {{'{key}': {value}}}",
            ]
        )
    )


def comment(rng: Random, draft: Draft, p: Planted) -> None:
    """Left in a comment or a docstring."""
    p.shape = "comment"
    client, value = p.format.client, p.value
    name = variable(rng, client)
    draft.code(
        rng.choice(
            [
                f"# {name} = '{value}'\n{name} = getpass.getpass()",
                f"# {statement(rng, client, repr(value)).splitlines()[0]}\nservice = connect()",
                f"# alter {client.product}-Schlüssel ({name}): {value}\nprint('ok')",
                f"x = 1  # {environment(rng, client)}={value}",
                f'"""Notizen\n\n{name}: {value}\n"""\nimport numpy as np',
            ]
        )
        if "\n" not in statement(rng, client, "0")
        else f"# {name} = '{value}'\nprint('ok')"
    )


def alias(rng: Random, draft: Draft, p: Planted) -> None:
    """A value under a name that says nothing reaches the call that names it through other names and cells."""
    p.shape = "alias chain"
    first, second = rng.sample(BLAND, 2)
    step = rng.choice(
        [
            "{b} = {a}",
            "{b} = {a}.strip()",
            "{b} = str({a})",
            "{b}, n = {a}, 3",
            "def get():\n    return {a}\n{b} = get()",
            "{b} = {a} if {a} else ''",
        ]
    )
    draft.code(f"{first} = {literal(rng, p.value)}")
    draft.code(
        rng.choice(
            [
                "import numpy as np\nfrom qiskit import QuantumCircuit\nqc = QuantumCircuit(2)",
                "shots = 1000",
                "import requests",
            ]
        )
    )
    use = rng.choice(["call", "call", "environ", "dict", "fstring"])
    if p.format.name == "Basic authorization" and use == "fstring":
        use = "call"
    last = {
        "call": statement(rng, p.format.client, second),
        "environ": f"import os\nos.environ['{environment(rng, p.format.client)}'] = {second}",
        "dict": f"config = {{'{rng.choice(p.format.client.keys)}': {second}}}",
        "fstring": f"headers = {{'Authorization': f'Bearer {{{second}}}'}}",
    }[use]
    if rng.random() < 0.5:
        draft.code(step.format(a=first, b=second) + "\n" + last)
    else:
        draft.code(step.format(a=first, b=second))
        draft.code(last)


def broken(rng: Random, draft: Draft, p: Planted) -> None:
    """Code that does not parse."""
    p.shape = "broken code"
    name, value = variable(rng, p.format.client), literal(rng, p.value)
    draft.code(
        rng.choice(
            [
                f"{name} = {value}\nprint 'token set'",
                f"def run(:\n    {name} = {value}\n",
                f"{name} = {value}\nfor i in range(10)\n    print(i)",
                f"result = job.result(\n{name} = {value}",
                f"  {name} = {value}\n if x:\n",
                f"<<<<<<< HEAD\n{name} = {value}\n=======\n{name} = None\n>>>>>>> main",
            ]
        )
    )


def header(rng: Random, draft: Draft, p: Planted) -> None:
    """An HTTP header or query in a request."""
    p.shape = "request"
    client = p.format.client
    line = rng.choice(client.headers or ("Authorization: Bearer {v}",))
    name, _, content = line.format(v=p.value).partition(": ")
    draft.code(
        rng.choice(
            [
                f'headers = {{"{name}": "{content}", "Accept": "application/json"}}\nr = requests.get("https://{client.host}/v1/jobs", headers=headers)',
                f"session.headers.update({{'{name}': '{content}'}})",
                f"req.add_header('{name}', '{content}')",
                f"!curl -s -H '{name}: {content}' https://{client.host}/v1/jobs",
            ]
        )
    )


def markdown(rng: Random, draft: Draft, p: Planted) -> None:
    """Notes in a markdown cell."""
    text = mention(p, rng)
    if "\n" in text or rng.random() < 0.3:
        draft.markdown(f"### Setup\n\n```{rng.choice(['', 'bash', 'python', 'json', 'ini'])}\n{text}\n```\n")
    else:
        draft.markdown(
            rng.choice(
                [
                    f"## Zugang\n\n- Rechner: lab-3\n- {text}\n",
                    f"Use `{text}` to log in.",
                    f"> {text}\n\nSiehe oben.",
                    f"| what | value |\n|---|---|\n| note | {text} |\n",
                    f"<b>Hinweis</b> {text}<br>weiter unten mehr",
                    f"**{text}**",
                ]
            )
        )


def raw(rng: Random, draft: Draft, p: Planted) -> None:
    """A raw cell."""
    draft.raw(f"---\ntitle: run\n---\n{mention(p, rng)}\n")


SHAPES = (
    (call, 5),
    (assign, 5),
    (environ, 3),
    (magic, 4),
    (mapping, 5),
    (comment, 2),
    (alias, 4),
    (broken, 2),
    (header, 2),
    (markdown, 3),
    (raw, 2),
)
