"""Negatives anywhere: digests, ids, public keys, pictures, data."""

from __future__ import annotations

import binascii
import string
from random import Random

from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ..randoms import BASE36, BASE62, WORDS, b64, draw, guid, hexa, mixed, slug
from .lines import Text, line


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


OUTPUT: dict[str, tuple[Text, ...]] = {
    "git hash": (
        line("commit {v}", lambda rng: hexa(rng, 40)),
        line("HEAD is now at {v} Fix {w}", lambda rng: hexa(rng, 40)),
        line("index {v}..0000000 100644", lambda rng: hexa(rng, 40)),
        line("pip install git+https://github.com/Qiskit/qiskit@{v}", lambda rng: hexa(rng, 40)),
        line("{'git_sha': '{v}', 'dirty': False}", lambda rng: hexa(rng, 40)),
    ),
    "UUID": (
        line("session id: {v}", guid),
        line("Task ARN: arn:aws:braket:us-east-1:123456789012:quantum-task/{v}", guid),
        line("workspace={w} job {v} SUCCEEDED", guid),
        line("x-request-id: {v}", guid),
        line("{'kernel_id': '{v}', 'name': 'python3'}", guid),
        line("tenant_id = '{v}'", guid),
        line("client_id = '{v}'", guid),
        line("subscription_id='{v}'", guid),
    ),
    "job id": (
        line("Job ID: {v}", lambda rng: "c" + draw(rng, BASE36, 19)),
        line("<RuntimeJobV2('{v}', 'sampler')>", lambda rng: "d" + draw(rng, BASE36, 19)),
        line("job_id = '{v}'", lambda rng: hexa(rng, 24)),
        line("problem id: {v}", guid),
        line("iqm job {v} status=ready", guid),
    ),
    "calibration id": (
        line("calibration_set_id={v}", guid),
        line("calibration {v} from 2025-03-01", lambda rng: hexa(rng, 32)),
        line("properties hash {v} for ibm_{w}", lambda rng: hexa(rng, 64)),
    ),
    "circuit hash": (
        line("circuit hash {v}", lambda rng: hexa(rng, 64)),
        line("qpy sha256={v}", lambda rng: hexa(rng, 64)),
        line("{'circuit_digest': 'sha256:{v}', 'depth': {n}}", lambda rng: hexa(rng, 64)),
    ),
    "checksum": (
        line("md5: {v}  data.h5", lambda rng: hexa(rng, 32)),
        line("{v}  runs-{n}.tar.gz", lambda rng: hexa(rng, 64)),
        line('ETag: "{v}"', lambda rng: hexa(rng, 32)),
        line("sha512-{v}", lambda rng: b64(rng.randbytes(64))),
        line('"integrity": "sha512-{v}",', lambda rng: b64(rng.randbytes(64))),
        line("    --hash=sha256:{v} \\", lambda rng: hexa(rng, 64)),
        line("numpy-1.26.4.whl#sha256={v}", lambda rng: hexa(rng, 64)),
        line("Digest: sha256:{v}", lambda rng: hexa(rng, 64)),
        line("crc32 {v}", lambda rng: f"{binascii.crc32(rng.randbytes(8)):08x}"),
    ),
    "lock file": (
        line("github.com/lab/run v1.4.{n} h1:{v}=", lambda rng: b64(rng.randbytes(32)).rstrip("=")),
        line('checksum = "{v}"', lambda rng: hexa(rng, 64)),
        line('    {file = "numpy-1.26.4.tar.gz", hash = "sha256:{v}"},', lambda rng: hexa(rng, 64)),
        line("oid sha256:{v}", lambda rng: hexa(rng, 64)),
        line('  resolved "https://registry.example/{w}/-/{w}-1.0.{n}.tgz#{v}"', lambda rng: hexa(rng, 40)),
        line(
            "https://conda.anaconda.org/conda-forge/linux-64/numpy-1.26.4-py311_0.conda#{v}",
            lambda rng: hexa(rng, 32),
        ),
        line("FROM quay.io/jupyter/base-notebook@sha256:{v}", lambda rng: hexa(rng, 64)),
        line('"signature": "sha256:{v}"', lambda rng: hexa(rng, 64)),
    ),
    "id in a plot or page": (
        line('<div id="{v}" class="plotly-graph-div" style="height:525px;"></div>', guid),
        line('Bokeh.embed.embed_items(docs_json, [{"docid":"{v}","roots":{}}])', guid),
        line("<style>#T_{v}_row0_col1 {color: red}</style>", lambda rng: hexa(rng, 5)),
        line('"data": {"name": "data-{v}"}', lambda rng: hexa(rng, 32)),
        line('"model_id": "{v}"', lambda rng: hexa(rng, 32)),
        line("IPY_MODEL_{v}", lambda rng: hexa(rng, 32)),
        line('"uid": "{v}"', guid),
        line('<clipPath id="p{v}">', lambda rng: hexa(rng, 10)),
        line(
            '<script src="https://cdn.example/{w}.js" integrity="sha384-{v}"></script>',
            lambda rng: b64(rng.randbytes(48)),
        ),
        line("file:///tmp/ipykernel_{n}/{v}.py", lambda rng: str(rng.randrange(10**8, 10**10))),
    ),
    "quantum data": (
        line(
            "qpy = base64.b64decode('{v}')", lambda rng: b64(b"QISKIT\x0d\x01\x03\x00" + rng.randbytes(240))
        ),
        line("'lin': '{v}'", lambda rng: b64(rng.randbytes(128))),
        line("memory=[{v}]", lambda rng: ", ".join(f"'0x{rng.randrange(2**20):x}'" for _ in range(12))),
        line(
            'OPENQASM 2.0; include "qelib1.inc"; {v}',
            lambda rng: " ".join(f"rz({rng.random():.8f}) q[{rng.randrange(9)}];" for _ in range(5)),
        ),
        line("arn:aws:braket:us-west-1:123456789012:quantum-task/{v}", guid),
        line(
            "H = SparsePauliOp.from_list([({v})])",
            lambda rng: f"'{draw(rng, 'IXYZ', 20)}', {rng.random():.6f}",
        ),
        line("compiled program id {v}", lambda rng: mixed(rng, 22)),
        line("chip id={v} calibrated 2025-11-02T04:00:00Z", lambda rng: draw(rng, "ABCDEF0123456789", 12)),
    ),
    "identifier": (
        line("account sid AC{v}", lambda rng: hexa(rng, 32)),
        line("project {w}, folder {v}", lambda rng: mixed(rng, 22)),
        line("https://colab.research.google.com/drive/{v}", lambda rng: "1" + mixed(rng, 32, BASE62 + "-_")),
        line(
            "https://drive.google.com/file/d/{v}/view?usp=sharing",
            lambda rng: "1" + mixed(rng, 32, BASE62 + "-_"),
        ),
        line("https://www.youtube.com/watch?v={v}", lambda rng: mixed(rng, 11)),
        line("run url: https://wandb.ai/lab/vqe/runs/{v}", lambda rng: draw(rng, BASE36, 8)),
        line("mlflow run {v} in experiment {n}", lambda rng: hexa(rng, 32)),
        line("doi:10.5281/zenodo.{v}", lambda rng: draw(rng, string.digits, 7)),
        line("trace_id={v} span_id=00f067aa0ba902b7", lambda rng: hexa(rng, 32)),
        line("id='cell-{v}' class='output'", lambda rng: hexa(rng, 16)),
        line("bucket amazon-braket-{w}-{v}", lambda rng: hexa(rng, 12)),
        line("eventId: {v}", lambda rng: mixed(rng, 26)),
        line("ulid {v}", lambda rng: "01" + draw(rng, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24)),
        line("<Figure object at 0x7f{v}>", lambda rng: hexa(rng, 10)),
        line("next_page_token: {v}", lambda rng: mixed(rng, 40)),
        line("wallet 0x{v}", lambda rng: hexa(rng, 40)),
    ),
    "CRN": (line("instance = '{v}'", _crn), line("Service-CRN: {v}", _crn)),
    "public key": (
        line("{v} nina@lab", _public_ssh),
        line("{v}", _public_pem),
        line("pk_live_{v}", lambda rng: mixed(rng, 24)),
        line("fingerprint SHA256:{v} (ED25519)", lambda rng: b64(rng.randbytes(32)).rstrip("=")),
    ),
    "certificate": (line("{v}", _certificate), line("thumbprint {v}", lambda rng: hexa(rng, 40).upper())),
    "image or array": (
        line('<img src="data:image/png;base64,{v}"/>', _png),
        line("b'{v}'", lambda rng: b64(rng.randbytes(180))),
        line("{'dtype': 'f8', 'bdata': '{v}'}", lambda rng: b64(rng.randbytes(240))),
        line("array_data = {v}", lambda rng: b64(rng.randbytes(96))),
        line("eigenvalues: {v}", lambda rng: " ".join(f"{rng.random():.12f}" for _ in range(8))),
        line("counts = {v}", lambda rng: str({draw(rng, "01", 16): rng.randint(1, 400) for _ in range(6)})),
    ),
    "words": (
        line("tokens generated: {v}", lambda rng: " ".join(rng.choice(WORDS) for _ in range(9))),
        line("secret sharing with {v}", lambda rng: slug(rng, 4)),
        line("password reset link was sent to {v}", lambda rng: f"{slug(rng)}@lab.example"),
        line("token: {v} chars", lambda rng: str(rng.randint(20, 99))),
        line("Key error: '{v}'", lambda rng: "_".join(rng.choice(WORDS) for _ in range(4))),
        line("api_key=**********{v}", lambda rng: draw(rng, BASE62, 4)),
        line("api_key: sk-...{v} (masked)", lambda rng: draw(rng, BASE62, 4)),
        line("token [redacted: ibm] {v}", lambda rng: f"n{rng.randint(10**6, 10**7)}"),
    ),
}
