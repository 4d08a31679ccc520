"""Tokens of code hosts, package registries, build and infrastructure services."""

from __future__ import annotations

import binascii
import json
import string
import struct
from random import Random

from ..model import Client, Format
from ..randoms import (
    BASE36,
    BASE62,
    BASE64,
    HEX,
    URLSAFE,
    b64url,
    crc_token,
    draw,
    guid,
    hexa,
    in_base,
    mixed,
)


def _client(product: str, env: tuple[str, ...], calls: tuple[str, ...], **more: object) -> Client:
    short = product.split(maxsplit=1)[0].lower()
    values = {
        "variables": (f"{short}_token", "token", f"{short.upper()}_TOKEN", "tok"),
        "headers": ("Authorization: Bearer {v}",),
        "host": f"api.{short}.com",
        "logger": f"{short}.client",
    }
    return Client(product=product, env=env, calls=calls, **{**values, **more})  # type: ignore[arg-type]


_GITHUB = _client(
    "GitHub",
    ("GITHUB_TOKEN", "GH_TOKEN"),
    ("g = Github({v})", "g = Github(auth=Auth.Token({v}))", "gh = github3.login(token={v})"),
    headers=("Authorization: token {v}", "Authorization: Bearer {v}"),
    shells=(
        "git clone https://{v}@github.com/lab/circuits.git",
        "pip install git+https://x-access-token:{v}@github.com/lab/private.git",
        "git remote set-url origin https://oauth2:{v}@github.com/lab/run.git",
    ),
)
_GITLAB = _client(
    "GitLab",
    ("GITLAB_TOKEN", "CI_JOB_TOKEN"),
    ("gl = gitlab.Gitlab('https://gitlab.com', private_token={v})",),
    headers=("PRIVATE-TOKEN: {v}",),
    shells=("git clone https://oauth2:{v}@gitlab.com/lab/run.git",),
)
_NPM = _client(
    "npm",
    ("NPM_TOKEN",),
    (),
    files=((".npmrc", "//npm.example.org/:_authToken={v}\nalways-auth=true\n"),),
    shells=("npm config set //npm.example.org/:_authToken {v}",),
)
_PYPI = _client(
    "PyPI",
    ("TWINE_PASSWORD", "UV_PUBLISH_TOKEN"),
    (),
    files=((".pypirc", "[pypi]\nusername = __token__\npassword = {v}\n"),),
    shells=("twine upload -u __token__ -p {v} dist/*", "uv publish --token {v}"),
)
_VAULT = _client(
    "HashiCorp Vault",
    ("VAULT_TOKEN",),
    ("client = hvac.Client(url='https://vault.example:8200', token={v})",),
    headers=("X-Vault-Token: {v}",),
    shells=("vault login {v}",),
)
_TERRAFORM = _client(
    "Terraform Cloud",
    ("TFE_TOKEN",),
    (),
    files=((".terraformrc", 'credentials "app.terraform.io" {{\n  token = "{v}"\n}}\n'),),
)
_DATABRICKS = _client(
    "Databricks",
    ("DATABRICKS_TOKEN",),
    (
        "w = WorkspaceClient(host=host, token={v})",
        "conn = sql.connect(server_hostname=host, http_path=path, access_token={v})",
    ),
    files=((".databrickscfg", "[DEFAULT]\nhost = https://adb-77.azuredatabricks.net\ntoken = {v}\n"),),
)
_DOCKER = _client(
    "Docker Hub",
    ("DOCKER_TOKEN", "DOCKERHUB_TOKEN"),
    (),
    shells=("docker login -u lab -p {v}", "echo {v} | docker login -u lab --password-stdin"),
)
_GRAFANA = _client(
    "Grafana", ("GRAFANA_TOKEN",), ("grafana = GrafanaApi.from_url(url, credential=TokenAuth({v}))",)
)
_POSTMAN = _client("Postman", ("POSTMAN_API_KEY",), (), headers=("X-Api-Key: {v}",))
_PULUMI = _client("Pulumi", ("PULUMI_ACCESS_TOKEN",), (), headers=("Authorization: token {v}",))
_RUBY = _client("RubyGems", ("GEM_HOST_API_KEY",), ())
_ATLASSIAN = _client(
    "Atlassian",
    ("JIRA_API_TOKEN", "CONFLUENCE_TOKEN"),
    (
        "jira = JIRA(server=url, basic_auth=(user, {v}))",
        "confluence = Confluence(url=url, username=user, password={v})",
    ),
)
_TAILSCALE = _client("Tailscale", ("TS_AUTHKEY",), (), shells=("tailscale up --authkey={v}",))
_SENTRY = _client("Sentry", ("SENTRY_AUTH_TOKEN",), ())
_DOPPLER = _client("Doppler", ("DOPPLER_TOKEN",), ())
_LINEAR = _client("Linear", ("LINEAR_API_KEY",), (), headers=("Authorization: {v}",))
_NEWRELIC = _client("NewRelic", ("NEW_RELIC_API_KEY",), (), headers=("Api-Key: {v}",))
_DATADOG = _client(
    "Datadog",
    ("DD_API_KEY", "DATADOG_API_KEY"),
    ("configuration.api_key['apiKeyAuth'] = {v}", "initialize(api_key={v}, app_key=app_key)"),
    variables=("dd_api_key", "datadog_key", "DD_KEY"),
    headers=("DD-API-KEY: {v}",),
)
_CIRCLE = _client("CircleCI", ("CIRCLE_TOKEN", "CIRCLECI_TOKEN"), (), headers=("Circle-Token: {v}",))


def _npm(rng: Random) -> str:
    return crc_token(rng, "npm_")


def _gitlab_routable(rng: Random) -> str:
    """A routable token: payload, version, payload's length and CRC32 in base 36 (GitLab handbook, Cells)."""
    payload = b64url(
        f"o:{in_base(rng.randrange(36**3), BASE36, 1)}\nu:{in_base(rng.randrange(36**3), BASE36, 1)}\n".encode()
        + rng.randbytes(16)
        + b"\x10"
    )
    text = f"glpat-{payload}.01.{in_base(len(payload), BASE36, 2)}"
    return text + in_base(binascii.crc32(text.encode()), BASE36, 7)


def _pypi(rng: Random) -> str:
    """A macaroon in the version 2 binary form: location, identifier, caveats, signature (libmacaroons)."""
    identifier = guid(rng).encode()
    caveat = (
        b'[2,["' + guid(rng).encode() + b'"]]' if rng.random() < 0.5 else b'[3,"' + guid(rng).encode() + b'"]'
    )
    data = (
        b"\x02"
        + _packet(1, b"pypi.org")
        + _packet(2, identifier)
        + b"\x00"
        + _packet(2, caveat)
        + b"\x00\x00"
        + _packet(6, rng.randbytes(32))
    )
    return "pypi-" + b64url(data)


def _packet(kind: int, data: bytes) -> bytes:
    return struct.pack("BB", kind, len(data)) + data


def _grafana(rng: Random) -> str:
    body = mixed(rng, 32)
    return f"glsa_{body}_{binascii.crc32(body.encode()):08x}"


def _atlassian(rng: Random) -> str:
    body = "ATATT3xFfGF0" + mixed(rng, 171, URLSAFE)
    return f"{body}={binascii.crc32(body.encode()):08X}"


def _sentry(rng: Random) -> str:
    claims = json.dumps(
        {"iat": rng.randrange(17 * 10**8, 18 * 10**8), "url": "https://sentry.io", "org": "lab"}
    )
    return f"sntrys_{b64url(claims.encode())}_{mixed(rng, 43, BASE64[:62])}"


_PLAIN = (
    ("GitLab", "personal access token", "glpat-", 20, URLSAFE, _GITLAB),
    ("GitLab", "deploy token", "gldt-", 20, URLSAFE, _GITLAB),
    ("GitLab", "runner token", "glrt-", 20, URLSAFE, _GITLAB),
    ("Databricks", "token", "dapi", 32, HEX, _DATABRICKS),
    ("Docker", "access token", "dckr_pat_", 27, URLSAFE, _DOCKER),
    ("Vault", "service token", "hvs.", 90, URLSAFE, _VAULT),
    ("Pulumi", "token", "pul-", 40, HEX, _PULUMI),
    ("RubyGems", "key", "rubygems_", 48, HEX, _RUBY),
    ("Doppler", "token", "dp.pt.", 43, BASE62, _DOPPLER),
    ("Linear", "key", "lin_api_", 40, BASE62, _LINEAR),
    ("New Relic", "user key", "NRAK-", 27, string.ascii_uppercase + string.digits, _NEWRELIC),
)


def _plain(prefix: str, length: int, alphabet: str):  # type: ignore[no-untyped-def]
    if alphabet in (HEX, string.ascii_uppercase + string.digits):
        return lambda rng: prefix + draw(rng, alphabet, length)
    return lambda rng: prefix + mixed(rng, length, alphabet)


FORMATS = (
    *(
        Format("GitHub", name, "structured", lambda rng, p=prefix: crc_token(rng, p), _GITHUB)
        for name, prefix in (
            ("personal token", "ghp_"),
            ("OAuth token", "gho_"),
            ("server token", "ghs_"),
            ("user token", "ghu_"),
        )
    ),
    Format(
        "GitHub",
        "fine-grained token",
        "structured",
        lambda rng: f"github_pat_{mixed(rng, 22)}_{mixed(rng, 59)}",
        _GITHUB,
    ),
    Format("GitLab", "routable token", "structured", _gitlab_routable, _GITLAB),
    Format("npm", "token", "structured", _npm, _NPM),
    Format("PyPI", "token", "structured", _pypi, _PYPI),
    Format(
        "Terraform",
        "token",
        "structured",
        lambda rng: f"{mixed(rng, 14)}.atlasv1.{mixed(rng, 67)}",
        _TERRAFORM,
    ),
    Format("Grafana", "service token", "structured", _grafana, _GRAFANA),
    Format("Postman", "key", "structured", lambda rng: f"PMAK-{hexa(rng, 24)}-{hexa(rng, 34)}", _POSTMAN),
    Format("Atlassian", "API token", "structured", _atlassian, _ATLASSIAN),
    Format(
        "Tailscale",
        "auth key",
        "structured",
        lambda rng: f"tskey-auth-k{mixed(rng, 11)}CNTRL-{mixed(rng, 32)}",
        _TAILSCALE,
    ),
    Format("Sentry", "org token", "structured", _sentry, _SENTRY),
    *(Format(v, n, "structured", _plain(p, k, a), c) for v, n, p, k, a, c in _PLAIN),
    Format("Datadog", "API key", "opaque", lambda rng: hexa(rng, 32), _DATADOG),
    Format("CircleCI", "token", "opaque", lambda rng: hexa(rng, 40), _CIRCLE),
)
