"""More ways in which people put a secret into code: files, subprocesses, frames, partials, parsers."""

from __future__ import annotations

import json
from random import Random

from ..draft import Draft
from ..model import Planted
from ..naming import BLAND, environment, literal, variable
from ..randoms import WORDS


def _key(rng: Random, p: Planted) -> str:
    names = [k for k in p.format.client.keys if k.isidentifier()]
    return rng.choice(names or ["api_key"])


def binding(rng: Random, draft: Draft, p: Planted) -> None:
    """Unusual assignments."""
    p.shape = "unusual assignment"
    name, value, other = variable(rng, p.format.client), literal(rng, p.value), rng.choice(BLAND)
    draft.code(
        rng.choice(
            [
                f"{other} = {name} = {value}",
                f"{name} = (\n    {value}\n)",
                f"{name} = {name} or {value}" if rng.random() < 0.5 else f"{name} = None or {value}",
                f"if {name} is None:\n    {name} = {value}\nelse:\n    print('ok')",
                f"globals()['{name}'] = {value}",
                f"{name}, *rest = [{value}, 3, 4]",
                f"[{name}, shots] = [{value}, 100]",
                f"get_{name} = lambda: {value}",
                f"def load_{name}():\n    '''Return it.'''\n    return {value}",
                f"try:\n    {name} = open('t').read()\nexcept OSError:\n    {name} = {value}",
                f"{name} = {{'dev': {value}, 'prod': None}}['dev']",
                f"with mock.patch.dict(os.environ, {{'{environment(rng, p.format.client)}': {value}}}):\n    run()",
                f"match mode:\n    case 'live':\n        {name} = {value}",
                f"{name} = {value} ; shots = 100",
                f"for name, {name} in [('lab', {value})]:\n    connect(name, {name})",
                f"assert {name} == {value}",
            ]
        )
    )


def use(rng: Random, draft: Draft, p: Planted) -> None:
    """As an argument of something that is not the vendor's client."""
    p.shape = "argument of other code"
    key, value, client = _key(rng, p), literal(rng, p.value), p.format.client
    name = variable(rng, client)
    draft.code(
        rng.choice(
            [
                f"connect = functools.partial(make_client, {key}={value})",
                f"client = make_client(**{{'{key}': {value}, 'retries': 2}})",
                f"keyring.set_password('{client.host}', 'nina', {value})",
                f"subprocess.run(['python', 'run.py', '--{key.replace('_', '-')}', {value}], check=True)",
                f"df = pd.DataFrame([{{'name': 'lab', '{key}': {value}}}])",
                f"print('{client.product} {key.replace('_', ' ')}:', {value})",
                f"logging.info('{key}=%s', {value})",
                f"r = requests.post('https://{client.host}/login', json={{'user': 'nina', '{key}': {value}}})",
                f"r = requests.post('https://{client.host}/login', data={{'{key}': {value}}}, timeout=5)",
                f"Settings = namedtuple('Settings', '{key} host')\ns = Settings({key}={value}, host='{client.host}')",
                f"client = make_client('{client.host}')\nclient.set_{key}({value})",
                f"client = make_client('{client.host}').with_{key}({value}).build()",
                f"spark = builder.config('lab.{key}', {value}).getOrCreate()",
                f"papermill.execute_notebook('in.ipynb', 'out.ipynb', parameters=dict({key}={value}))",
                f"await client.login({key}={value})",
                f"run = dask.delayed(job)(circuit, {key}={value})",
                f"with connect(host='{client.host}', {key}={value}) as session:\n    session.run(qc)",
                f"@retry(3)\ndef go(qc, *, {key}={value}):\n    return submit(qc, {key})",
                f"{name}_file = Path('{key}.txt')\n{name}_file.write_text({value})",
            ]
        )
    )


def document(rng: Random, draft: Draft, p: Planted) -> None:
    """A configuration text inside the code, for a parser or a file."""
    p.shape = "configuration text in code"
    key, value, client = _key(rng, p), p.value, p.format.client
    section = rng.choice(WORDS)
    yaml = f"{section}:\n  host: {client.host}\n  {key}: {value}\n"
    ini = f"[{section}]\nhost = {client.host}\n{key} = {value}\n"
    tree = json.dumps({section: {"host": client.host, key: value}}, indent=2)
    draft.code(
        rng.choice(
            [
                f'cfg = yaml.safe_load("""\n{yaml}""")',
                f"parser.read_string('''\n{ini}''')",
                f"cfg = tomllib.loads('''\n[{section}]\n{key} = \"{value}\"\n''')",
                f'cfg = json.loads("""{tree}""")',
                f"with open('config.ini', 'w') as f:\n    f.write('''{ini}''')",
                f"%%file config.yaml\n{yaml}",
                f"!cat > cfg.json <<EOF\n{tree}\nEOF",
                f"query = '''\nCREATE SECRET ({key.upper()} '{value}');\n'''\nduckdb.sql(query)",
                f"dotenv = '''{environment(rng, client)}={value}\\nDEBUG=1'''",
            ]
        )
    )


def markup(rng: Random, draft: Draft, p: Planted) -> None:
    """Markdown with structure: tables whose header names the value, definition lists, links, HTML comments."""
    p.shape = "structured markdown"
    key, value, client = _key(rng, p), p.value, p.format.client
    draft.markdown(
        rng.choice(
            [
                f"| service | {key} |\n|---|---|\n| {client.product} | {value} |\n| other | - |",
                f"### {client.product}\n\n* user: nina\n* {key}: `{value}`\n",
                f"**{client.product} {key.replace('_', ' ')}**\n\n    {value}\n",
                f"<!-- {key}: {value} -->\n## Ergebnisse",
                f"[jobs](https://{client.host}/jobs?{key}={value})",
                f"{client.product} {key.replace('_', ' ').title()}:\n```\n{value}\n```",
                f"~~alt: {key}={value}~~ neu: siehe Tresor",
            ]
        )
    )


SHAPES = ((binding, 4), (use, 5), (document, 3), (markup, 3))
