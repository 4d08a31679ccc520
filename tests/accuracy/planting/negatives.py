"""What looks like a secret and is none: ids, digests, placeholders, public values, ways to fetch a secret."""

from __future__ import annotations

import binascii
import json
import string
from collections.abc import Callable
from random import Random

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from .draft import Draft
from .model import Innocent
from .naming import filler_line
from .randoms import BASE36, BASE62, WORDS, b64, draw, guid, hexa, mixed, slug

Text = Callable[[Random], tuple[str, str]]
"""Gives the line and, within it, the text that must survive."""


def _line(template: str, make: Callable[[Random], str]) -> Text:
    def build(rng: Random) -> tuple[str, str]:
        value = make(rng)
        return template.replace("{v}", value).replace("{w}", rng.choice(WORDS)).replace(
            "{n}", str(rng.randint(1, 999))
        ), value

    return build


def _whole(*lines: str) -> Text:
    def build(rng: Random) -> tuple[str, str]:
        line = rng.choice(lines).replace("{w}", rng.choice(WORDS))
        return line, line

    return build


def _crn(rng: Random) -> str:
    return f"crn:v1:bluemix:public:quantum-computing:us-east:a/{hexa(rng, 32)}:{guid(rng)}::"


def _public_ssh(rng: Random) -> str:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(rng.randbytes(32)).public_key()
    return key.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def _public_pem(rng: Random) -> str:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(rng.randbytes(32)).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def _certificate(rng: Random) -> str:
    body = b64(b"\x30\x82\x03\x0d\x30\x82\x01\xf5" + rng.randbytes(500))
    lines = "\n".join(body[i : i + 64] for i in range(0, len(body), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----"


def _png(rng: Random) -> str:
    return b64(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + rng.randbytes(rng.randint(120, 900)))


_CODE: dict[str, tuple[Text, ...]] = {
    "fetching a secret": (
        _whole(
            'token = getpass.getpass("IBM Quantum token: ")',
            "password = getpass('Passwort: ')",
            "api_key = input('API key? ')",
        ),
        _whole(
            'token = os.environ["QISKIT_IBM_TOKEN"]',
            "api_key = os.getenv('IONQ_API_KEY')",
            "secret = os.environ.get('AWS_SECRET_ACCESS_KEY', '')",
            'service = QiskitRuntimeService(token=os.environ["IBMCLOUD_API_KEY"])',
        ),
        _whole(
            "token = userdata.get('HF_TOKEN')",
            "password = keyring.get_password('lab', 'nina')",
            'secret = client.secrets.kv.v2.read_secret_version(path="lab/{w}")["data"]["data"]["token"]',
            "token = dbutils.secrets.get(scope='{w}', key='api-token')",
        ),
        _whole(
            "with open('token.txt') as f: token = f.read().strip()",
            "token = Path('~/.config/{w}/token').expanduser().read_text()",
            "creds = json.load(open('credentials.json'))",
        ),
        _whole(
            "provider = IonQProvider(token)",
            "sampler = DWaveSampler(token=config.token)",
            "client = OpenAI(api_key=api_key)",
            "password = args.password or default_password",
            "headers = {'Authorization': f'Bearer {access_token}'}",
        ),
        _whole(
            "!export TOKEN=$QISKIT_IBM_TOKEN && python run.py",
            "%env HF_TOKEN",
            '!curl -H "Authorization: Bearer $TOKEN" https://api.ionq.co/v0.3/jobs',
            "docker login -u lab --password-stdin < pw.txt",
        ),
    ),
    "placeholder": (
        _whole(
            'token = "YOUR_API_TOKEN"',
            'api_key = "<your-api-key>"',
            "token='MY_IBM_QUANTUM_TOKEN'",
            'password = "changeme"',
            "API_KEY = 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
            'token = "INSERT_TOKEN_HERE"',
            "secret = '********************'",
            "api_key = 'sk-...'",
            "token = 'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
            "token = 'DEV-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'",
            'API_TOKEN = "paste your token here"',
            "password = ''",
            "token = None",
            "api_key = 'TODO'",
            "token = '${IBM_TOKEN}'",
            "password: {{ db_password }}",
            "api_key: '%(api_key)s'",
            "IBMQ.save_account('DEIN_TOKEN')",
            "QiskitRuntimeService.save_account(channel='ibm_quantum', token='<IBM Quantum API key>', overwrite=True)",
            "postgresql://user:password@localhost:5432/runs",
            "mysql://root:<password>@localhost/lab",
            "https://user:pass@example.com/",
            "token = '0000000000000000000000000000000000000000'",
            "token = 'abcdefghijklmnopqrstuvwxyz123456'",
            "key = '1234567890abcdef1234567890abcdef'",
        ),
    ),
    "documentation example": (
        _whole(
            "aws_access_key_id = 'AKIAIOSFODNN7EXAMPLE'",
            "aws_secret_access_key = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'",
            "AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;",
        ),
        _whole(
            "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "jwt = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c'",
        ),
    ),
    "configuration of tokens": (
        _whole(
            "tokenizer = AutoTokenizer.from_pretrained('bert-base-german-cased', use_fast=True)",
            "pad_token_id = tokenizer.pad_token_id",
            "max_new_tokens = 4096",
            "sep_token = '[SEP]'",
            "key = 'temperature_coefficient_of_resistance'",
            "secret_length = 32",
            "password_field = 'user_password_confirmation'",
            "primary_key = 'measurement_id'",
            "sort_key = lambda r: r['energy']",
            "token_url = 'https://auth.lab.example/oauth2/token'",
            "tokens = 'Der schnelle braune Fuchs'.split()",
            "public_key_path = '/home/nina/.ssh/id_ed25519.pub'",
            "keyboard_layout = 'de-latin1-nodeadkeys'",
            "api_key_header = 'X-Api-Key'",
            "secret_name = 'lab/ibm-quantum/production'",
            "token_type = 'urn:ietf:params:oauth:token-type:access_token'",
            "passphrase_hint = 'name of the first dog'",
        ),
    ),
    "test vector": (
        _line(
            "sha256_empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'  # {w} {v}",
            lambda rng: f"t{rng.randint(10**5, 10**6)}",
        ),
        _line("bb84_key = '{v}'", lambda rng: draw(rng, "01", rng.choice([64, 128]))),
        _line(
            "secret_string = '{v}'  # Bernstein-Vazirani",
            lambda rng: draw(rng, "01", rng.choice([8, 16, 24])),
        ),
        _line("pauli = '{v}'", lambda rng: draw(rng, "IXYZ", rng.randint(16, 48))),
        _line("sequence = '{v}'", lambda rng: draw(rng, "ACGT", rng.randint(40, 120))),
        _line("assert digest == '{v}'", lambda rng: hexa(rng, 64)),
    ),
    "version or name": (
        _whole(
            "image: quay.io/jupyter/scipy-notebook:2024-10-07",
            "qiskit==1.2.4; qiskit-aer==0.15.1",
            "backend = service.backend('ibm_brisbane')",
            "model = 'meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo'",
            "UserAgent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0",
            "arn:aws:braket:us-east-1::device/qpu/ionq/Aria-1",
        ),
    ),
}

_OUTPUT: dict[str, tuple[Text, ...]] = {
    "git hash": (
        _line("commit {v}", lambda rng: hexa(rng, 40)),
        _line("HEAD is now at {v} Fix {w}", lambda rng: hexa(rng, 40)),
        _line("index {v}..0000000 100644", lambda rng: hexa(rng, 40)),
        _line("pip install git+https://github.com/Qiskit/qiskit@{v}", lambda rng: hexa(rng, 40)),
        _line("{'git_sha': '{v}', 'dirty': False}", lambda rng: hexa(rng, 40)),
    ),
    "UUID": (
        _line("session id: {v}", guid),
        _line("Task ARN: arn:aws:braket:us-east-1:123456789012:quantum-task/{v}", guid),
        _line("workspace={w} job {v} SUCCEEDED", guid),
        _line("x-request-id: {v}", guid),
        _line("{'kernel_id': '{v}', 'name': 'python3'}", guid),
        _line("tenant_id = '{v}'", guid),
        _line("client_id = '{v}'", guid),
        _line("subscription_id='{v}'", guid),
    ),
    "job id": (
        _line("Job ID: {v}", lambda rng: "c" + draw(rng, BASE36, 19)),
        _line("<RuntimeJobV2('{v}', 'sampler')>", lambda rng: "d" + draw(rng, BASE36, 19)),
        _line("job_id = '{v}'", lambda rng: hexa(rng, 24)),
        _line("problem id: {v}", guid),
        _line("iqm job {v} status=ready", guid),
    ),
    "calibration id": (
        _line("calibration_set_id={v}", guid),
        _line("calibration {v} from 2025-03-01", lambda rng: hexa(rng, 32)),
        _line("properties hash {v} for ibm_{w}", lambda rng: hexa(rng, 64)),
    ),
    "circuit hash": (
        _line("circuit hash {v}", lambda rng: hexa(rng, 64)),
        _line("qpy sha256={v}", lambda rng: hexa(rng, 64)),
        _line("{'circuit_digest': 'sha256:{v}', 'depth': {n}}", lambda rng: hexa(rng, 64)),
    ),
    "checksum": (
        _line("md5: {v}  data.h5", lambda rng: hexa(rng, 32)),
        _line("{v}  runs-{n}.tar.gz", lambda rng: hexa(rng, 64)),
        _line('ETag: "{v}"', lambda rng: hexa(rng, 32)),
        _line("sha512-{v}", lambda rng: b64(rng.randbytes(64))),
        _line('"integrity": "sha512-{v}",', lambda rng: b64(rng.randbytes(64))),
        _line("    --hash=sha256:{v} \\", lambda rng: hexa(rng, 64)),
        _line("numpy-1.26.4.whl#sha256={v}", lambda rng: hexa(rng, 64)),
        _line("Digest: sha256:{v}", lambda rng: hexa(rng, 64)),
        _line("crc32 {v}", lambda rng: f"{binascii.crc32(rng.randbytes(8)):08x}"),
    ),
    "identifier": (
        _line("account sid AC{v}", lambda rng: hexa(rng, 32)),
        _line("project {w}, folder {v}", lambda rng: mixed(rng, 22)),
        _line("https://colab.research.google.com/drive/{v}", lambda rng: "1" + mixed(rng, 32, BASE62 + "-_")),
        _line(
            "https://drive.google.com/file/d/{v}/view?usp=sharing",
            lambda rng: "1" + mixed(rng, 32, BASE62 + "-_"),
        ),
        _line("https://www.youtube.com/watch?v={v}", lambda rng: mixed(rng, 11)),
        _line("run url: https://wandb.ai/lab/vqe/runs/{v}", lambda rng: draw(rng, BASE36, 8)),
        _line("mlflow run {v} in experiment {n}", lambda rng: hexa(rng, 32)),
        _line("doi:10.5281/zenodo.{v}", lambda rng: draw(rng, string.digits, 7)),
        _line("trace_id={v} span_id=00f067aa0ba902b7", lambda rng: hexa(rng, 32)),
        _line("id='cell-{v}' class='output'", lambda rng: hexa(rng, 16)),
        _line("bucket amazon-braket-{w}-{v}", lambda rng: hexa(rng, 12)),
        _line("eventId: {v}", lambda rng: mixed(rng, 26)),
        _line("ulid {v}", lambda rng: "01" + draw(rng, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24)),
        _line("<Figure object at 0x7f{v}>", lambda rng: hexa(rng, 10)),
        _line("next_page_token: {v}", lambda rng: mixed(rng, 40)),
        _line("wallet 0x{v}", lambda rng: hexa(rng, 40)),
    ),
    "CRN": (_line("instance = '{v}'", _crn), _line("Service-CRN: {v}", _crn)),
    "public key": (
        _line("{v} nina@lab", _public_ssh),
        _line("{v}", _public_pem),
        _line("pk_live_{v}", lambda rng: mixed(rng, 24)),
        _line("fingerprint SHA256:{v} (ED25519)", lambda rng: b64(rng.randbytes(32)).rstrip("=")),
    ),
    "certificate": (_line("{v}", _certificate), _line("thumbprint {v}", lambda rng: hexa(rng, 40).upper())),
    "image or array": (
        _line('<img src="data:image/png;base64,{v}"/>', _png),
        _line("b'{v}'", lambda rng: b64(rng.randbytes(180))),
        _line("{'dtype': 'f8', 'bdata': '{v}'}", lambda rng: b64(rng.randbytes(240))),
        _line("array_data = {v}", lambda rng: b64(rng.randbytes(96))),
        _line("eigenvalues: {v}", lambda rng: " ".join(f"{rng.random():.12f}" for _ in range(8))),
        _line("counts = {v}", lambda rng: str({draw(rng, "01", 16): rng.randint(1, 400) for _ in range(6)})),
    ),
    "words": (
        _line("tokens generated: {v}", lambda rng: " ".join(rng.choice(WORDS) for _ in range(9))),
        _line("secret sharing with {v}", lambda rng: slug(rng, 4)),
        _line("password reset link was sent to {v}", lambda rng: f"{slug(rng)}@lab.example"),
        _line("token: {v} chars", lambda rng: str(rng.randint(20, 99))),
        _line("Key error: '{v}'", lambda rng: "_".join(rng.choice(WORDS) for _ in range(4))),
        _line("api_key=**********{v}", lambda rng: draw(rng, BASE62, 4)),
        _line("api_key: sk-...{v} (masked)", lambda rng: draw(rng, BASE62, 4)),
        _line("token [redacted: ibm] {v}", lambda rng: f"n{rng.randint(10**6, 10**7)}"),
    ),
}


def _place_code(rng: Random, draft: Draft, line: str) -> str:
    if rng.random() < 0.15:
        draft.markdown(f"Zum Beispiel:\n\n```python\n{line}\n```\n")
        return "markdown"
    draft.code(rng.choice(["", "import os\n", "# setup\n"]) + line)
    return "source"


def _place_output(rng: Random, draft: Draft, line: str) -> str:
    place = rng.choice(["stream", "stream", "result", "html", "json", "source", "metadata", "error"])
    if place == "stream":
        draft.code("run()", draft.stream("\n".join([filler_line(rng), line, filler_line(rng)])))
    elif place == "result":
        draft.code("info", draft.result(text__plain=line))
    elif place == "html":
        draft.code("page", draft.display(text__html=f"<pre>{line}</pre>"))
    elif place == "json":
        draft.code("tree", draft.display(application__json={"message": line, "n": rng.randint(0, 99)}))
    elif place == "source":
        draft.code(f"note = {json.dumps(line)}" if "\n" not in line else f'note = """{line}"""')
    elif place == "metadata":
        draft.code("pass", metadata={"info": {"line": line}})
    else:
        draft.code(
            "go()",
            {
                "output_type": "error",
                "ename": "RuntimeError",
                "evalue": line,
                "traceback": [f"\x1b[0;31mRuntimeError\x1b[0m: {line}"],
            },
        )
    return place


KINDS: tuple[tuple[str, Text, bool], ...] = (
    *(
        (kind, text, True)
        for kind, texts in _CODE.items()
        for text in texts
        for _ in range(3 if kind in ("fetching a secret", "placeholder", "configuration of tokens") else 1)
    ),
    *((kind, text, False) for kind, texts in _OUTPUT.items() for text in texts),
)


def plant(rng: Random, draft: Draft, index: int) -> Innocent:
    """Add one negative; ``index`` walks through the kinds so that each gets its share."""
    kind, text, code = KINDS[index % len(KINDS)]
    line, value = text(rng)
    surface = (_place_code if code else _place_output)(rng, draft, line)
    return Innocent(kind=kind, text=value, surface=surface)
