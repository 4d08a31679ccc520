"""Sentences, lines and statements in which a value stands under its name, as people and tools write them."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from urllib.parse import quote

from .model import Client, Planted
from .randoms import WORDS, draw, guid

BLAND = ("a", "x1", "tmp", "val", "s", "zugang", "raw", "inp", "wert", "q", "foo", "data0", "text")


def literal(rng: Random, value: str) -> str:
    """Return a Python string literal in one of the usual notations."""
    if "\n" in value:
        return f'"""{value}"""'
    if "'" in value or '"' in value or "\\" in value:
        return repr(value)
    mark = rng.choice(["'", '"', "'", '"', "'", '"', '"""'])
    return f"{rng.choice(['', '', '', '', '', 'r', 'u'])}{mark}{value}{mark}"


def variable(rng: Random, client: Client) -> str:
    """Return a name that someone gives the value."""
    return rng.choice(client.variables)


def environment(rng: Random, client: Client) -> str:
    """Return the environment variable's name."""
    return rng.choice(client.env) if client.env else rng.choice(client.variables).upper()


def statement(rng: Random, client: Client, expression: str) -> str:
    """Return Python that hands the value to its client."""
    if client.calls:
        return rng.choice(client.calls).format(v=expression)
    return f"os.environ[{environment(rng, client)!r}] = {expression}"


def stamp(rng: Random) -> str:
    """Return a date and time as loggers print it."""
    return f"202{rng.randint(2, 6)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02} {rng.randint(0, 23):02}:{rng.randint(0, 59):02}:{rng.randint(0, 59):02},{rng.randint(0, 999):03}"


def _environment(rng: Random, client: Client, value: str) -> str:
    return f"{rng.choice(['', '', 'export ', 'set ', 'env: '])}{environment(rng, client)}={value}"


def _json(rng: Random, client: Client, value: str) -> str:
    data = {
        "url": f"https://{client.host}",
        rng.choice(client.keys): value,
        "timeout": rng.randint(5, 90),
        "active": True,
    }
    nested = {"profile": rng.choice(WORDS), "account": data}
    return json.dumps(rng.choice([data, nested]), indent=rng.choice([None, 2, 4]))


def _python(rng: Random, client: Client, value: str) -> str:
    data = {
        "channel": rng.choice(WORDS),
        "url": f"https://{client.host}",
        rng.choice(client.keys): value,
        "verify": True,
    }
    return repr(data)


def _repr(rng: Random, client: Client, value: str) -> str:
    name = client.product.replace(" ", "").replace("-", "") + rng.choice(
        ["Client", "Account", "Session", "Config", "Credentials"]
    )
    key = rng.choice(client.keys).replace("-", "_")
    return rng.choice(
        [
            f"{name}(url='https://{client.host}', {key}={value!r}, timeout=30)",
            f"<{name}: {key}={value!r}, project='{rng.choice(WORDS)}'>",
            f"{name}({key}={value}, region=eu-1)",
        ]
    )


def _header(rng: Random, client: Client, value: str) -> str:
    if not client.headers:
        return _environment(rng, client, value)
    line = rng.choice(client.headers).format(v=value)
    name, _, content = line.partition(": ")
    return rng.choice(
        [
            f"> {line}",
            line,
            f"send: b'GET /v1/jobs HTTP/1.1\\r\\nHost: {client.host}\\r\\n{line}\\r\\n\\r\\n'",
            repr({"Accept": "*/*", "Connection": "keep-alive", name: content}),
        ]
    )


def _log(rng: Random, client: Client, value: str) -> str:
    key = rng.choice(client.keys)
    level = rng.choice(["DEBUG", "INFO", "WARNING", "ERROR"])
    text = rng.choice(
        [
            f"using {client.product} {key.replace('_', ' ')} {value}",
            f"loaded credentials: {key}={value} host={client.host}",
            f"login with {key}: {value}",
            f"authentication failed ({key}={value!r})",
            f"request params={{'{key}': {value!r}, 'limit': 10}}",
        ]
    )
    return rng.choice(
        [
            f"{stamp(rng)} - {client.logger} - {level} - {text}",
            f"{level}:{client.logger}:{text}",
            f"[{stamp(rng)[11:19]}] {level.lower()} {client.logger}: {text}",
            json.dumps({"ts": stamp(rng), "level": level.lower(), "logger": client.logger, "msg": text}),
        ]
    )


def _config(rng: Random, client: Client, value: str) -> str:
    if client.files and rng.random() < 0.6:
        return rng.choice(client.files)[1].format(v=value).rstrip()
    key, section = rng.choice(client.keys), rng.choice(WORDS)
    return rng.choice(
        [
            f"[{section}]\nurl = https://{client.host}\n{key} = {value}",
            f"{section}:\n  url: https://{client.host}\n  {key}: {value}",
            f'{section}:\n  {key}: "{value}"\n  retries: 3',
            f'[{section}]\n{key} = "{value}"',
            f"<{key}>{value}</{key}>",
        ]
    )


def _prose(rng: Random, client: Client, value: str) -> str:
    key = rng.choice(client.keys).replace("_", " ")
    return rng.choice(
        [
            f"{client.product} {key}: {value}",
            f"Your {client.product} {key} is {value}",
            f"Mein {client.product}-{key.capitalize()}: {value}",
            f"Der {key.capitalize()} lautet {value} (bitte nicht weitergeben)",
            f"{key} = {value}",
            f"New {key} created: {value}",
            f"{key.upper()}   {value}",
        ]
    )


def _query(rng: Random, client: Client, value: str) -> str:
    key = rng.choice([k for k in client.keys if k.isidentifier()] or ["api_key"])
    code = rng.choice(["401", "403", "404", "500"])
    url = f"https://{client.host}/v1/jobs?limit=10&{key}={quote(value, safe='')}"
    return rng.choice(
        [
            f"GET {url}",
            f"{code} Client Error: Unauthorized for url: {url}",
            f"curl '{url}'",
            url + "&format=json",
        ]
    )


def _shell(rng: Random, client: Client, value: str) -> str:
    if client.shells:
        return "$ " * rng.randint(0, 1) + rng.choice(client.shells).format(v=value)
    return f"{client.logger.split('.')[0]} --{rng.choice(client.keys).replace('_', '-')} {value} run"


LINES: dict[str, Callable[[Random, Client, str], str]] = {
    "environment": _environment,
    "JSON": _json,
    "dict repr": _python,
    "object repr": _repr,
    "header": _header,
    "log": _log,
    "configuration": _config,
    "prose": _prose,
    "query": _query,
    "shell": _shell,
}


def mention(planted: Planted, rng: Random, *, quiet: bool = True) -> str:
    """Return a line or block that shows the value under its name, and note which shape it has.

    A value with a structure of its own is now and then shown bare when ``quiet``.
    """
    client, value = planted.format.client, planted.value
    if "\n" in value:
        planted.shape = "block"
        return rng.choice([value, f"# key\n{value}", json.dumps({rng.choice(client.keys): value})])
    if quiet and planted.kind != "opaque" and rng.random() < 0.3:
        planted.shape = "bare"
        return rng.choice(
            [value, f"-> {value}", f"ok {value} {rng.randint(1, 99)}", repr(value), f"{guid(rng)} {value}"]
        )
    if planted.format.name.endswith(("URL", "webhook", "string", "account")):
        planted.shape = rng.choice(["environment", "object repr", "prose", "log"])
    elif planted.format.name == "Basic authorization":
        planted.shape = "header"
    else:
        planted.shape = rng.choice(list(LINES))
    return LINES[planted.shape](rng, client, value)


def filler_line(rng: Random) -> str:
    """Return a line that any run prints."""
    return rng.choice(
        [
            f"Epoch {rng.randint(1, 50)}/50  loss={rng.random():.6f}  val_loss={rng.random():.6f}",
            f"shots={2 ** rng.randint(8, 14)} depth={rng.randint(3, 90)} counts={{'00': {rng.randint(1, 999)}, '11': {rng.randint(1, 999)}}}",
            f"{stamp(rng)} INFO worker-{rng.randint(1, 9)} finished step {rng.randint(1, 999)}",
            f"Optimization terminated successfully. Current function value: {-rng.random() * 8:.6f}",
            f"job {draw(rng, 'abcdefghijklmnopqrstuvwxyz0123456789', 20)} is {rng.choice(['QUEUED', 'RUNNING', 'DONE'])}",
            f"Requirement already satisfied: numpy>=1.{rng.randint(20, 26)} in /opt/conda/lib/python3.11/site-packages",
        ]
    )
