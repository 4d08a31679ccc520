"""Negatives in source: fetching a secret, placeholders, test vectors, names that only sound secret."""

from __future__ import annotations

from ..randoms import b64, draw, guid, hexa, slug
from .lines import Text, line, whole

_VECTORS = (
    "key = bytes.fromhex('2b7e151628aed2a6abf7158809cf4f3c')  # FIPS 197",
    "key = bytes.fromhex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f')",
    "key = bytes.fromhex('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4')  # NIST SP 800-38A",
    "key = b'Jefe'; data = b'what do ya want for nothing?'  # RFC 4231",
    "key = bytes.fromhex('0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b')  # RFC 4231, case 1",
)
"""Published test vectors."""

CODE: dict[str, tuple[Text, ...]] = {
    "fetching a secret": (
        whole(
            'token = getpass.getpass("IBM Quantum token: ")',
            "password = getpass('Passwort: ')",
            "api_key = input('API key? ')",
        ),
        whole(
            'token = os.environ["QISKIT_IBM_TOKEN"]',
            "api_key = os.getenv('IONQ_API_KEY')",
            "secret = os.environ.get('AWS_SECRET_ACCESS_KEY', '')",
            'service = QiskitRuntimeService(token=os.environ["IBMCLOUD_API_KEY"])',
        ),
        whole(
            "token = userdata.get('HF_TOKEN')",
            "password = keyring.get_password('lab', 'nina')",
            'secret = client.secrets.kv.v2.read_secret_version(path="lab/{w}")["data"]["data"]["token"]',
            "token = dbutils.secrets.get(scope='{w}', key='api-token')",
        ),
        whole(
            "with open('token.txt') as f: token = f.read().strip()",
            "token = Path('~/.config/{w}/token').expanduser().read_text()",
            "creds = json.load(open('credentials.json'))",
        ),
        whole(
            "provider = IonQProvider(token)",
            "sampler = DWaveSampler(token=config.token)",
            "client = OpenAI(api_key=api_key)",
            "password = args.password or default_password",
            "headers = {'Authorization': f'Bearer {access_token}'}",
        ),
        whole(
            "!export TOKEN=$QISKIT_IBM_TOKEN && python run.py",
            "%env HF_TOKEN",
            '!curl -H "Authorization: Bearer $TOKEN" https://api.ionq.co/v0.3/jobs',
            "docker login -u lab --password-stdin < pw.txt",
        ),
    ),
    "placeholder": (
        whole(
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
        whole(
            "aws_access_key_id = 'AKIAIOSFODNN7EXAMPLE'",
            "aws_secret_access_key = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'",
            "AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;",
        ),
        whole(
            "Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
            "jwt = 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c'",
        ),
    ),
    "configuration of tokens": (
        whole(
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
        line(
            "sha256_empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'  # {w} {v}",
            lambda rng: f"t{rng.randint(10**5, 10**6)}",
        ),
        line("bb84_key = '{v}'", lambda rng: draw(rng, "01", rng.choice([64, 128]))),
        line(
            "secret_string = '{v}'  # Bernstein-Vazirani",
            lambda rng: draw(rng, "01", rng.choice([8, 16, 24])),
        ),
        line("pauli = '{v}'", lambda rng: draw(rng, "IXYZ", rng.randint(16, 48))),
        line("sequence = '{v}'", lambda rng: draw(rng, "ACGT", rng.randint(40, 120))),
        line("assert digest == '{v}'", lambda rng: hexa(rng, 64)),
        whole(*_VECTORS),
    ),
    "quantum key demo": (
        line("alice_key = '{v}'", lambda rng: draw(rng, "01", rng.choice([32, 96]))),
        line("shared_key = [{v}]", lambda rng: ", ".join(draw(rng, "01", 24))),
        line("secret = '{v}'  # hidden bit string of the oracle", lambda rng: draw(rng, "01", 12)),
        line("qrng_sample = 0x{v}", lambda rng: hexa(rng, 32)),
        line("n, e = {v}, 65537  # toy RSA", lambda rng: str(rng.randrange(10**9, 10**12))),
        whole(
            "key = Fernet.generate_key()",
            "secret = secrets.token_hex(32)",
            "session_key = hashlib.sha256(shared.encode()).hexdigest()",
            "private_key = rsa.generate_private_key(65537, 2048)",
        ),
    ),
    "name that only sounds secret": (
        line("idempotency_key = '{v}'", guid),
        line("cache_key = 'run:{v}'", lambda rng: hexa(rng, 16)),
        line("partition_key = '{v}'", lambda rng: f"{slug(rng)}-{rng.randint(1, 9999)}"),
        line("key_id = '{v}'", guid),
        line("public_key = '{v}'", lambda rng: b64(rng.randbytes(32))),
        line("token_count = {v}", lambda rng: str(rng.randrange(10**4, 10**7))),
        line("nonce = '{v}'", lambda rng: hexa(rng, 24)),
        line("token_ids = [{v}]", lambda rng: ", ".join(str(rng.randrange(30000)) for _ in range(9))),
        line("keys = ['{v}']", lambda rng: "', '".join(slug(rng) for _ in range(4))),
        line("password_hash_rounds = {v}", lambda rng: str(rng.randrange(10**4, 10**6))),
        line("author = '{v}'", lambda rng: slug(rng, 3)),
        line("tokenizer_hash = '{v}'", lambda rng: hexa(rng, 40)),
        line("keyspace, authmode = '{v}', 'none'", lambda rng: slug(rng, 3)),
    ),
    "version or name": (
        whole(
            "image: quay.io/jupyter/scipy-notebook:2024-10-07",
            "qiskit==1.2.4; qiskit-aer==0.15.1",
            "backend = service.backend('ibm_brisbane')",
            "model = 'meta-llama/Meta-Llama-3.1-405B-Instruct-Turbo'",
            "UserAgent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0",
            "arn:aws:braket:us-east-1::device/qpu/ionq/Aria-1",
        ),
    ),
}
