"""Secrets in what cells print, return and raise."""

from __future__ import annotations

import json
from random import Random

from ..draft import Draft
from ..model import Planted
from ..naming import environment, filler_line, literal, mention, stamp, statement, variable

GREEN, RED, BLUE, OFF = "\x1b[32m", "\x1b[0;31m", "\x1b[38;5;241m", "\x1b[0m"


def _around(rng: Random, text: str) -> str:
    before = [filler_line(rng) for _ in range(rng.randint(0, 4))]
    after = [filler_line(rng) for _ in range(rng.randint(0, 4))]
    return "\n".join([*before, text, *after])


def stream(rng: Random, draft: Draft, p: Planted) -> None:
    """Printed or logged."""
    draft.code(
        rng.choice(["print(config)", "run()", "!cat settings", "%env", "client.debug()"]),
        draft.stream(_around(rng, mention(p, rng)), rng.choice(["stdout", "stdout", "stderr"])),
    )


def result(rng: Random, draft: Draft, p: Planted) -> None:
    """The repr of a cell's last value."""
    draft.code(
        rng.choice(
            ["config", "account", "client", "QiskitRuntimeService.saved_accounts()", "vars(settings)"]
        ),
        draft.result(text__plain=mention(p, rng)),
    )


def echo(rng: Random, draft: Draft, p: Planted) -> None:
    """Named in the source, shown bare in the output of a later cell."""
    p.shape = "named in source, bare in output"
    name = variable(rng, p.format.client)
    draft.code(f"{name} = {literal(rng, p.value)}")
    draft.code("shots = 1024")
    draft.code(
        *rng.choice(
            [(name, draft.result(text__plain=repr(p.value))), (f"print({name})", draft.stream(p.value))]
        )
    )


def coloured(rng: Random, draft: Draft, p: Planted) -> None:
    """ANSI colours around and between."""
    text = mention(p, rng, quiet=False)
    value = p.value
    cut = rng.randint(2, len(value) - 2)
    painted = rng.choice(
        [
            f"{GREEN}{value}{OFF}",
            f"{RED}{value[:cut]}{OFF}{RED}{value[cut:]}{OFF}",
            f"\x1b[1m{value[:cut]}\x1b[0m{value[cut:]}",
        ]
    )
    p.shape += " in colours"
    draft.code("log.show()", draft.stream(_around(rng, text.replace(value, painted))))


def invisible(rng: Random, draft: Draft, p: Planted) -> None:
    """Broken by zero-width characters, as some platforms do when they mask."""
    text = mention(p, rng, quiet=False)
    mark = rng.choice(["\u200b", "\u200d", "\u2060", "\ufeff"])
    step = rng.choice([1, 4, 7])
    wide = mark.join(p.value[i : i + step] for i in range(0, len(p.value), step))
    p.shape += " with zero-width characters"
    draft.code("show()", draft.stream(text.replace(p.value, wide)))


def escaped(rng: Random, draft: Draft, p: Planted) -> None:
    """A JSON document as a string inside a JSON document, or inside a repr."""
    client = p.format.client
    inner = json.dumps({"host": client.host, rng.choice(client.keys): p.value})
    p.shape = rng.choice(["JSON in JSON", "JSON in repr", "JSON three deep"])
    outer = {
        "JSON in JSON": json.dumps({"event": "request", "body": inner}),
        "JSON in repr": repr({"status": 401, "body": inner.encode()}),
    }
    text = outer.get(p.shape) or json.dumps({"records": [json.dumps({"message": inner})]})
    draft.code("print(response.text)", draft.stream(_around(rng, text)))


def error(rng: Random, draft: Draft, p: Planted) -> None:
    """Name, value and traceback of an exception."""
    text = mention(p, rng)
    kind = rng.choice(
        [
            "HTTPError",
            "AuthenticationError",
            "OperationalError",
            "IBMInputValueError",
            "SolverAuthenticationError",
            "ValueError",
        ]
    )
    frame = [
        "\x1b[0;31m---------------------------------------------------------------------------\x1b[0m",
        f"\x1b[0;31m{kind}\x1b[0m                                 Traceback (most recent call last)",
    ]
    where = rng.choice(["value", "traceback source", "traceback only"])
    p.shape = f"{p.shape} in {where}"
    if where == "value":
        final = f"Invalid credentials: {text}"
        frame.append(
            f"File {GREEN}/opt/conda/lib/python3.11/site-packages/client.py:{rng.randint(10, 900)}{OFF}, in connect(self)"
        )
    else:
        final = rng.choice(["401 Unauthorized", "connection refused", "invalid token"])
        line = f"{GREEN}      {rng.randint(1, 30)}{OFF} "
        if where == "traceback source" and "\n" not in p.value:
            p.shape = "coloured source in traceback"
            name = variable(rng, p.format.client)
            line += f"{name} {BLUE}={OFF} \x1b[38;5;124m{p.value!r}{OFF}"
        else:
            line += text
        frame.append(
            f"Cell {GREEN}In[{draft.count + 1}], line 2{OFF}\n{line}\n{GREEN}----> 3{OFF} client{BLUE}.{OFF}run{BLUE}({OFF}circuit{BLUE}){OFF}"
        )
    frame.append(f"\x1b[0;31m{kind}\x1b[0m: {final}")
    draft.code(
        "client.run(circuit)", {"output_type": "error", "ename": kind, "evalue": final, "traceback": frame}
    )


def error_name(rng: Random, draft: Draft, p: Planted) -> None:
    """An exception's own name, as remote errors carry it."""
    text = mention(p, rng)
    p.shape += " in the error's name"
    draft.code(
        "job.result()",
        {"output_type": "error", "ename": f"RemoteError[{text}]", "evalue": "job failed", "traceback": []},
    )


def frames(rng: Random, draft: Draft, p: Planted) -> None:
    """A plain traceback that a logger wrote to stderr, with the source line of the call."""
    p.shape = "call in a logged traceback"
    call = statement(rng, p.format.client, literal(rng, p.value)) if "\n" not in p.value else mention(p, rng)
    draft.code(
        "main()",
        draft.stream(
            f'{stamp(rng)} ERROR job failed\nTraceback (most recent call last):\n  File "run.py", line {rng.randint(2, 99)}, in <module>\n    {call}\nTimeoutError: timed out',
            "stderr",
        ),
    )


def table(rng: Random, draft: Draft, p: Planted) -> None:
    """A data frame as text; the column or the row names the value."""
    p.shape = "text table"
    key = rng.choice(p.format.client.keys)
    rows = [f"0   lab-1  {'None':>{len(p.value)}}", f"1   lab-2  {p.value}"]
    down = f"   name   {key:>{len(p.value)}}\n" + "\n".join(rows)
    across = f"host      {p.format.client.host}\n{key}    {p.value}\nuser      nina\ndtype: object"
    draft.code("df", draft.result(text__plain=rng.choice([down, across])))


def listing(rng: Random, draft: Draft, p: Planted) -> None:
    """The whole environment."""
    p.shape = "environment listing"
    lines = [
        "HOME=/home/jovyan",
        "LANG=C.UTF-8",
        "PATH=/opt/conda/bin:/usr/bin",
        "NB_USER=jovyan",
        "SHLVL=2",
        f"{environment(rng, p.format.client)}={p.value}",
    ]
    rng.shuffle(lines)
    if rng.random() < 0.5:
        draft.code("!env", draft.stream("\n".join(lines)))
    else:
        draft.code("%env", draft.result(text__plain=repr(dict(line.split("=", 1) for line in lines))))


SHAPES = (
    (stream, 6),
    (result, 5),
    (echo, 3),
    (coloured, 3),
    (invisible, 2),
    (escaped, 3),
    (error, 4),
    (error_name, 1),
    (frames, 2),
    (table, 2),
    (listing, 2),
)
