"""Ways in which people leave a secret in cells, outputs and files, written down without sight of the rules.

Each is tried with values of three kinds that no vendor's prefix tells. The second list is of what must be left alone.
"""

# a line is as long as such lines are
from __future__ import annotations

import base64
import codecs
import json
import random
import string
import uuid

import pytest
from leaks import View

from qsec_jupyter.scan.baseline import Baseline
from qsec_jupyter.scan.known import KnownValues
from qsec_jupyter.scan.ruleset import load_rules
from qsec_jupyter.scan.scanner import Scanner

SOURCE = random.Random(20261129)
BASE62 = string.ascii_letters + string.digits
VALUES = {
    "letters and digits": "".join(SOURCE.choices(BASE62, k=40)),
    "short": "".join(SOURCE.choices(BASE62, k=32)),
    "hexadecimal": "".join(SOURCE.choices("0123456789abcdef", k=40)),
}


def idioms(v: str) -> list[tuple[str, str]]:
    """Return (where, text): ``src`` is a code cell, ``out`` its output, ``txt.*`` a file."""
    return [
        ("src", f'client = Foo(auth=("user", "{v}"), token="{v}")'),
        ("src", f'd = dict(host="h", api_token="{v}")'),
        ("src", f'os.environ |= {{"MY_TOKEN": "{v}"}}'),
        ("src", f"%env MY_API_KEY {v}"),
        ("src", f'!curl -H "X-Auth-Token: {v}" https://x.io'),
        ("src", f"!curl -u user:{v} https://x.io"),
        ("src", f'requests.get(url, auth=HTTPBasicAuth("nina", "{v}"))'),
        ("src", f'requests.get(url, auth=("nina", "{v}"))'),
        ("src", f'df = pd.read_sql(q, "postgresql://u:{v}@h/db")'),
        ("src", f'conn = psycopg2.connect("host=h user=u password={v}")'),
        ("src", f'conn = psycopg2.connect(f"host=h password={{pw}}"); pw = "{v}"'),
        ("src", f'k1 = "{v[:13]}"\nk2 = "{v[13:]}"\napi_key = f"{{k1}}{{k2}}"'),
        ("src", f'api_key = "%s%s" % ("{v[:13]}", "{v[13:]}")'),
        ("src", f'secret = "-".join(["{v[:13]}", "{v[13:]}"]).replace("-", "")'),
        ("src", f'token = ("{v[:13]}"\n         "{v[13:]}")'),
        ("src", f'token = """\\\n{v}"""'),
        ("src", f"token = bytes({list(v.encode())}).decode()"),
        ("src", f'token = "".join(map(chr, {list(v.encode())}))'),
        ("src", f'token = base64.b64decode("{base64.b64encode(v.encode()).decode()}")'),
        ("src", f'token = "{v[::-1]}"[::-1]'),
        ("src", f'token = codecs.decode("{v.encode().hex()}", "hex")'),
        ("src", f'TOKEN <- "{v}"  # R'),
        ("src", f"const apiKey = `{v}`;"),
        ("src", f'ENV["API_TOKEN"] = "{v}"'),
        ("src", f'parameters = {{"api_key": {{"value": "{v}"}}}}'),
        ("src", f'@click.option("--token", default="{v}")'),
        ("src", f'assert client.token == "{v}"'),
        ("src", f'keyring.set_password("svc", "me", "{v}")'),
        ("src", f'vault.write("secret/data/x", data={{"token": "{v}"}})'),
        ("src", f'with open(".netrc","w") as f: f.write("machine h login u password {v}")'),
        ("out", f"machine api.x.io login nina password {v}"),
        ("out", f"token={v}, user=nina"),
        ("out", f"Authorization: Bearer {v}"),
        ("out", f"{{'headers': {{'X-API-Key': '{v}'}}}}"),
        ("out", f"> x-api-key: {v}"),
        ("out", f"Set-Cookie: session={v}; HttpOnly; Path=/"),
        ("out", f"Cookie: sessionid={v}; csrftoken=abc"),
        ("out", f"Your API key is: {v}"),
        ("out", f"Here is your token:\n{v}\n"),
        ("out", f"API Key\n-------\n{v}\n"),
        ("out", f"Token\t{v}"),
        ("out", f"| Token | `{v}` |"),
        ("out", f"token ........ {v}"),
        ("out", f"   name  api_key\n0  lab   {v}\n1  dev   {v[::-1]}"),
        ("out", f"        service                                    token\n0          ionq  {v}"),
        ("out", f'Out[3]: Config(host="h", token=SecretStr("{v}"))'),
        ("out", f"<Credentials(access_token={v!r}, expires_in=3600)>"),
        (
            "out",
            f"Traceback (most recent call last)\n    1 client = Client(api_key={v!r})\nAuthError: bad key",
        ),
        ("out", f'DEBUG:urllib3:https://h:443 "GET /v1?api_key={v}&x=1 HTTP/1.1" 401'),
        ("out", f"curl: (22) https://user:{v}@host/path"),
        ("out", f'locals: {{"self": <A>, "token": "{v}"}}'),
        ("out", f"token     = {v}\nhost = a"),
        ("out", f"export TOKEN={v}"),
        ("out", f'+ password = "{v}"'),
        ("out", f"INFO config.token: {v}"),
        ("out", f'level=info msg="login" token={v}'),
        ("out", f'{{"level":"info","ctx":{{"secret":"{v}"}}}}'),
        ("out", f'"access_token":"{v}","token_type":"bearer"'),
        ("out", json.dumps({"body": json.dumps({"token": v})})),
        ("out", json.dumps(json.dumps(json.dumps({"token": v})))),
        ("out", f"<tr><th>token</th><td>{v}</td></tr>"),
        ("out", f"<table><tr><th>name</th><th>token</th></tr><tr><td>a</td><td>{v}</td></tr></table>"),
        ("out", f'<input type="password" name="token" value="{v}">'),
        ("out", f'<input value="{v}" name="api_token" type="hidden">'),
        ("out", f"<b>API key:</b> <code>{v}</code>"),
        ("out", f"<dt>Token</dt><dd>{v}</dd>"),
        ("out", f'<script>window.token = "{v}"</script>'),
        ("out", f"data:text/plain;base64,{base64.b64encode(f'token={v}'.encode()).decode()}"),
        ("out", f"data:text/plain,token%3D{v}"),
        ("out", f"\\text{{token}} = \\texttt{{{v}}}"),
        ("txt.md", f"# Setup\n\nAPI key:\n\n```\n{v}\n```\n"),
        ("txt.md", f"- **token**: `{v}`"),
        ("txt.md", f"| service | token |\n|---|---|\n| a | {v} |"),
        ("txt.md", f"Use the token `{v}` to log in."),
        ("txt.md", f'```python\nx = "{v[:15]}"\ntoken = x + "{v[15:]}"\n```'),
        ("txt.md", f"[link](https://h/x?token={v})"),
        ("txt.md", f"Token\n: {v}"),
        ("txt.md", f"## API key\n\n{v}\n"),
        ("txt.env", f"TOKEN={v}"),
        ("txt.env", f'export API_KEY="{v}" # prod'),
        ("txt.env", f"SECRET='{v}'"),
        ("txt.env", f"IBM_KEY: {v}"),
        ("txt.env", f"DATABASE_URL=postgres://u:{v}@h/d"),
        ("txt.ini", f"[a]\ntoken : {v}"),
        ("txt.ini", f"[a]\nsecret=\n    {v}"),
        ("txt.toml", f'token = """{v}"""'),
        ("txt.toml", f"[auth]\n\"api.key\" = '{v}'"),
        ("txt.yaml", f"token: >-\n  {v}"),
        ("txt.yaml", f'token: !!str "{v}"'),
        ("txt.yaml", f"auth: {{user: a, password: {v}}}"),
        ("txt.yaml", f"- key: token\n  value: {v}"),
        ("txt.yaml", f"token:\n  value: {v}"),
        ("txt.yaml", f"tokens:\n  - {v}"),
        ("txt.json", json.dumps({"tokens": [v]}, indent=1)),
        ("txt.json", json.dumps({"token": {"value": v}}, indent=1)),
        ("txt.log", f"2024-01-01 INFO auth token accepted: {v}"),
        ("txt.log", f'10.0.0.1 - - [x] "GET /a?token={v} HTTP/1.1" 200'),
        ("txt.log", f"env: API_KEY={v}"),
        ("txt.properties", f"app.token={v}"),
        ("txt.xml", f'<property name="token" value="{v}"/>'),
        ("txt.xml", f"<token>{v}</token>"),
        ("txt.sh", f'TOKEN="{v}" ./run.sh'),
        ("txt.sh", f"./run --token={v}"),
        ("txt.netrc", f"machine h\n  login u\n  password {v}"),
        ("txt.tf", f'token = "{v}"'),
        ("txt.dockerfile", f"ENV TOKEN {v}"),
        ("txt.pypirc", f"[pypi]\nusername = a\npassword = {v}"),
        ("txt.csv", f"name,token\na,{v}"),
        # What a fourth set found, written once more without sight of the rules.
        ("src", f'a = "{v[:10]}"\napi_token = f"{{a}}{v[10:]}"'),
        ("src", f"tokens = ['{v[::-1]}', '{v}']"),
        ("src", f"TOKENS = {{'nina': '{v[::-1]}', 'omar': '{v}'}}"),
        ("src", f"token = ' {v}\\n'.strip()"),
        ("src", f"w = widgets.Text(value='{v}', description='API key:')"),
        ("src", f"ftp = FTP('h', 'nina', '{v}')"),
        ("src", f"password = codecs.decode('{codecs.encode(v, 'rot13')}', 'rot13')"),
        ("src", f"!mysql -u root -p{v} -h db"),
        ("src", f"!sshpass -p {v} ssh nina@h"),
        ("src", f"!az login --service-principal -u app -p {v} --tenant t"),
        ("src", f"!redis-cli -h h -a {v} ping"),
        ("out", f"│ token    │ {v} │"),
        (
            "out",
            f"╒══════╤{'═' * 42}╕\n│ user │ api_key │\n╞══════╪{'═' * 42}╡\n│ nina │ {v} │\n╘══════╧{'═' * 42}╛",
        ),
        (
            "out",
            f"┏━━━━━━┳{'━' * 42}┓\n┃ User ┃ Token   ┃\n┡━━━━━━╇{'━' * 42}┩\n│ nina │ {v} │\n└──────┴{'─' * 42}┘",
        ),
        ("out", f"E       AssertionError: assert token == '{v}'"),
        ("out", f"1 validation error for S\ntoken\n  bad [type=x, input_value='{v}', input_type=str]"),
        (
            "out",
            f"Variable   Type    Data/Info\n----------------\napi_key    str     {v}\nos         module  <module 'os'>",
        ),
        ("out", f"Password for nina@lab: {v}"),
        ("txt.md", f"* **API key:** {v}"),
        ("txt.md", f"Mot de passe : {v}"),
        ("txt.md", f"Token for the IQM server: {v}"),
        ("txt.md", f"here's the ionq key for the workshop {v}"),
        ("src", f"k = '{v}'\nq = k\nprovider = IonQProvider(token=q)"),
        ("src", f'let api_key: &str = "{v}";'),
        ("src", f'var apiKey = @"{v}";'),
        ("src", f"_IBM_Q_TOK_ = '{v}'"),
        ("src", f"access_code = '{v}'"),
        ("src", f"CRED = '{v}'"),
        ("out", f'<label for="k">API key</label><input id="k" value="{v}">'),
        ("out", f"<div>Token:&nbsp;{v}</div>"),
        ("out", json.dumps({"Name": "/lab/db/password", "Type": "SecureString", "Value": v})),
        ("out", f"channels:\n  - https://conda.lab.org/t/{v}/main"),
        ("txt.md", f"credentials: nina / {v}"),
        ("txt.org", f"- password :: {v}"),
        ("txt.ps1", f"$pw = ConvertTo-SecureString '{v}' -AsPlainText -Force"),
        ("txt.tex", f"\\newcommand{{\\apikey}}{{{v}}}"),
    ]


@pytest.fixture(scope="module")
def redact(tmp_path_factory):
    kept = Baseline(tmp_path_factory.mktemp("idioms") / "kept.json")
    scanner = Scanner(KnownValues(), kept, b"k" * 32, load_rules())

    def run(where, text):
        if where.startswith("txt"):
            return scanner.scan_text(text, "a" + where[3:]).redacted or text
        output = [{"output_type": "stream", "name": "stdout", "text": text}] if where == "out" else []
        cell = {"cell_type": "code", "metadata": {}, "execution_count": 1, "outputs": output}
        cell["source"] = text if where == "src" else "run()"
        document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
        return scanner.scan_notebook(document, "a.ipynb").redacted or document

    return run


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("number", range(len(idioms("v" * 40))))
def test_secret_is_gone_from_what_people_write(redact, number, kind):
    value = VALUES[kind]
    where, text = idioms(value)[number]
    after = redact(where, text)
    view = View(after if isinstance(after, dict) else {"text": after})
    assert not view.shows(value[: len(value) // 2]), text.replace(value, "...")
    assert not view.shows(value[len(value) // 2 :]), text.replace(value, "...")


def _hex(length: int) -> str:
    return "".join(SOURCE.choices("0123456789abcdef", k=length))


def _base64(length: int) -> str:
    return base64.b64encode(SOURCE.randbytes(length)).decode()


def _uuid() -> str:
    return str(uuid.UUID(int=SOURCE.getrandbits(128), version=4))


def _word(length: int) -> str:
    return "".join(SOURCE.choices(BASE62, k=length))


INNOCENT = [
    f"numpy/core/__init__.py,sha256={_base64(32)[:-1].replace('+', '-').replace('/', '_')},5432",
    f'"integrity": "sha384-{_base64(48)}"',
    f"commit {_hex(40)} (HEAD -> main, origin/main)",
    f"Merge: {_hex(7)} {_hex(7)}",
    f"-----BEGIN PUBLIC KEY-----\n{_base64(48)}\n-----END PUBLIC KEY-----",
    f"ssh-rsa {_base64(200)} me@x",
    f'{{"type":"scatter","uid":"{_uuid()}","x":{{"bdata":"{_base64(64)}","dtype":"f8"}}}}',
    "token = os.environ['MY_TOKEN']",
    "token = getpass('IBM token: ')",
    f"job_id: {_word(20)}",
    f"calibration_set: {_uuid()}",
    f"crn:v1:bluemix:public:quantum-computing:us-east:a/{_hex(32)}:{_uuid()}::",
    f"function(t,e){{var n=t.key,r=e.token;return n===r?void 0:{_hex(6)}}}var keyCode={{13:1}};t.tokenize=function(e){{return e.split(/[A-Za-z0-9_-]{{4}}/)}}",
    f"keys: {_hex(8)}, {_hex(8)}, {_hex(8)}",
    f"cache key {_hex(32)} hit",
    f'ETag: W/"{_hex(40)}"',
    f"nonce: {_base64(16)}",
    "tokens: 1024\nkeys: 33 values 12a",
    "token used: gpt-4o-2024-08-06",
    "tokens found 128k context",
    "password expired 2024-10-07T12:00:00Z",
    "key not found: measurement_2024_10",
    "secret santa 2024 list",
    "KeyError: 'qubit_0_readout_error_2024'",
    f"primary key: {_hex(32)}",
    "sort keys = True; key = lambda x: x[1]",
    f"api_key_id: {_uuid()}",
    f"key_id={_word(20)}",
    f"public_key: {_base64(32)}",
    "token_type: bearer, expires_in: 3600",
    f"Session ID: {_uuid()}",
    f"x-request-id: {_word(32)}",
    f"image sha256:{_hex(64)}",
    f"docker.io/library/x@sha256:{_hex(64)}",
    f"blob {_hex(40)} 1234",
    f"hash: {_hex(64)}",
    f"<circuit-{_hex(12)}>",
    f"memory=['0x{_hex(8)}']",
    "password = '********'",
    "api_key = 'YOUR_API_KEY_HERE_123'",
    "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "token: <token>",
    "token = '{{ secrets.TOKEN }}'",
    "password: ${DB_PASSWORD:-x1}",
    "secret: vault:secret/data/x#token2",
    f"key: arn:aws:kms:us-east-1:123456789012:key/{_uuid()}",
    f"kms_key_id = '{_uuid()}'",
    "key.pem -> /etc/ssl/private/key_2024.pem",
    "ssh-keygen -t ed25519 -f key1",
    f"SHA256:{_base64(32)[:-1]} key fingerprint",
    "The token endpoint is https://auth.x.io/oauth2/token?v=1",
    "Tokenizer(name='bert-base-uncased', vocab_size=30522)",
    "test vector key = 000102030405060708090a0b0c0d0e0f",
    "<key>CFBundleVersion</key><string>12.4.1b2</string>",
    f"KEY    {_hex(8)}",
    "pass 12 of 40",
    "tests passed: test_auth_v2_flow_12",
    "auth: oauth2-proxy-v7.5.1",
    "pat matching 1st3rd",
    "refresh rate: 120Hz60p",
    "tok/s: 1234.5abc",
    'bearer realm="x1"',
    "cookie policy v2.1-2024a",
    "insert into t (id, key_name) values (1, 'measure-2024-a1')",
    f"keys 0x{_hex(8)} 0x{_hex(8)}",
    "for key in ['a1b2', 'c3d4']",
    "foreign key (run_id2) references runs(id1)",
    "schlüssel 12a passt",
    "kubectl token not found 404x",
    f"key,value\nalpha1,{_uuid()}\nbeta2,{_hex(40)}",
    f"| key | value |\n|---|---|\n| commit | {_hex(40)} |",
    f"token accepted: {_uuid()}",
    f"etag key = {_hex(32)}",
    f"objectKey: runs/2024/{_hex(12)}.h5",
    f"keyhash {_hex(40)}",
    f"key='{_uuid()}'",
    f"<td>key</td><td>{_uuid()}</td>",
    f'"key": "{_hex(40)}"',
    f'<li key="{_uuid()}">one</li>',
    f"{{'key': '{_uuid()}', 'state': 'done'}}",
    f"{{'AML_APP_INSIGHTS_KEY': '{_uuid()}', 'PORT': '8080'}}",
    "token valid until: 2026-11-29T01:42:39.123Z",
    "token: 2026-11-29T01:42:39.123456+00:00",
    "secret = '2026-11-29T01:42:39Z'",
    "password: 29-Nov-2026T01:42",
    "password = '01:42:39.123'",
    "credentials 20261129T014239Z",
    "key: P1DT12H30M15S",
    "token ttl: 1h30m20s500ms",
    "credentials v12.4.1rc2.dev20261129",
    "secret: https://vault.example.net:8200/v1/kv",
    'password = "postgresql://db.example.net:5432/runs1"',
    "key = 'net/l1/kernel/.ATTRIBUTES/VARIABLE_VALUE'",
    "Pass: Optimize1qGatesDecomposition - 3.89552 (ms)\nPass: VF2PostLayout - 0.1 (ms)",
    "f(x.replace('<mask>', t.mask_token),\n  max_length=500)",
    "Embedding(input_dim=n_tokens, output_dim=16)",
    "key = '<API key>'\n\naz_llama_405b_model_inf = make(key)",
    '"keyVaultName": {\n  "value": "myfeaturestorekeyvaultf7a63f0f7"\n}',
    f"{_word(71)}pw8=\\\n{_word(76)}\\\n{_word(76)}",
    "Swin2SRImageProcessor('caidas/swin2SR-lightweight-x2-64')",
    f"[redacted: sandbox-key]\n{_word(40)}",
    f"[redacted: sandbox-key]\\\n{_word(76)}",
    f"<tr><th>Value</th><td>[redacted: sandbox-key]</td></tr><tr><th>Id</th><td>{_word(32)}</td></tr>",
    "key = 'a2i-results/'\ns3.put_object(Bucket=b, Key='sagemaker/DEMO-seq2seq/train/x.rec')",
    "KEY = 'datasets/image/VOC2012/VOCtrainval_11-May-2012.tar'",
    "copy = {'Bucket': b, 'Key': 'csv_backup/yellow_tripdata_2020-01.csv'}",
    "if accelerator == 'NVIDIA_TESLA_A100': token = 'NVIDIA_H100_80GB'",
    "--parameters ParameterKey=TrainingS3BucketNamePrefix,ParameterValue=sagemaker-kohya-ss",
    "boto3.client('sagemaker-a2i-runtime', region)",
    f"token for job {_word(20)}",
    f"key for the run with id {_word(24)}",
    f"label | token\n│ run  │ {_hex(40)} │",
    f"verify_key = '{_hex(64)}'",
    f'<input type="hidden" name="csrfmiddlewaretoken" value="{_word(64)}">',
    "cirq.measure(q0, key='result_q0_b7c2')\nmeas_key: c2b3_final_ro",
    "key\nalpha_2b7e15    12\nbeta_aed2a6      9\nName: count, dtype: int64",
    "create_engine('postgresql://postgres:postgres@localhost:5432/postgres')",
    "Sampler('ibm_kyiv', 'dynamical-decoupling-XpXm4')\nAuth('oauth2-proxy-v7', 'realm1-2024-prod')",
    "build('apps', 'v1alpha1/namespaces2')\ntrial.suggest_categorical('token', ['cls1', 'mean2', 'max3pool4'])",
    "Mountable secrets:   default-token-4x7kq\nTokens:              default-token-4x7kq",
    f"user.signingkey={_hex(16).upper()}\ngpg: key {_hex(16).upper()}: public key imported",
    f"| Value | [redacted: sandbox-key] |\n|---|---|\n| Id | {_word(32)} |",
]


@pytest.mark.parametrize("where", ["src", "out", "txt.md", "txt.yaml", "txt.log"])
@pytest.mark.parametrize("number", range(len(INNOCENT)))
def test_innocent_text_is_left_alone(redact, number, where):
    after = redact(where, INNOCENT[number])
    if isinstance(after, dict):
        cell = after["cells"][0]
        after = cell["source"] if where == "src" else cell["outputs"][0]["text"]
    assert after == INNOCENT[number]
