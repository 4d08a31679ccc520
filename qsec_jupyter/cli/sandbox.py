"""``qsec sandbox``: a quantum provider that runs on a laptop, for demos, training and tests."""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..core.errors import Invalid, Unavailable
from ..core.paths import home

if TYPE_CHECKING:
    from ..sandbox.settings import Settings


def sandbox(
    port: Annotated[int, typer.Option(help="Where it listens on 127.0.0.1; 0 for any free port.")] = 0,
    api_key_file: Annotated[
        Path | None, typer.Option(help="API keys that it lets in, one a line; made when missing.")
    ] = None,
    admin_token_file: Annotated[
        Path | None, typer.Option(help="Token that may change a running sandbox; made when missing.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="How many jobs are simulated at a time.")] = 1,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", help="NAME=VALUE, e.g. queue_seconds=5 or prices.per_shot=0.001."),
    ] = None,
    fault: Annotated[
        list[str] | None, typer.Option(help='A fault, e.g. "429 path=/api/v1/jobs method=POST times=2".')
    ] = None,
    device: Annotated[
        list[str] | None, typer.Option(help="A further device, NAME=MODEL, e.g. sandbox_torino=torino.")
    ] = None,
    clear_faults: Annotated[
        bool, typer.Option("--clear-faults", help="Disarm all faults (with --at).")
    ] = False,
    at: Annotated[str | None, typer.Option(help="Change the sandbox that runs at this address.")] = None,
    with_parent: Annotated[bool, typer.Option("--with-parent", help="End when standard input ends.")] = False,
) -> None:
    """Run a simulated quantum provider on this machine, or change one that runs.

    It speaks what qiskit-ibm-runtime speaks and simulates on Aer. The first line on standard output says
    in JSON where it listens and in which files its API key and its admin token are.
    """
    folder = home() / "sandbox"
    token_file = admin_token_file or folder / "admin-token"
    if at is not None:
        _change(at, token_file, setting or [], fault or [], clear_faults)
        return
    if (
        importlib.util.find_spec("qiskit_ibm_runtime") is None
        or importlib.util.find_spec("qiskit_aer") is None
    ):
        raise Unavailable(
            "install.extra_missing",
            "A part of qsec-jupyter is not installed",
            "`qsec sandbox` needs the packages qiskit-ibm-runtime and qiskit-aer.",
            "Install them with: pip install 'qsec-jupyter[sandbox]'",
        )
    from ..sandbox.faults import read_fault
    from ..sandbox.refusals import Refusal
    from ..sandbox.server import Start, serve

    try:
        start = Start(
            port,
            api_key_file or folder / "api-key",
            token_file,
            workers,
            _settings(setting or []),
            [read_fault(line) for line in fault or []],
            _devices(device or []),
            with_parent,
        )
    except Refusal as refusal:
        raise Invalid(
            "sandbox.option", "The sandbox does not know that", refusal.message, refusal.solution
        ) from None
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="qsec sandbox: %(message)s")
    print(
        "qsec sandbox: a simulated quantum provider. Nothing here runs on quantum hardware.", file=sys.stderr
    )
    serve(start)


def _settings(lines: list[str]) -> Settings:
    from ..sandbox.settings import Settings

    return Settings().changed(_table(lines))


def _devices(lines: list[str]) -> dict[str, str]:
    from ..sandbox.devices import check_device

    found = {name: model for name, _, model in (line.partition("=") for line in lines)}
    for name, model in found.items():
        check_device(name, model)
    return found


def _table(lines: list[str]) -> dict[str, Any]:
    """Return ``a.b=1`` and the like as nested tables; a value that is no JSON is a text."""
    table: dict[str, Any] = {}
    for line in lines:
        path, _, text = line.partition("=")
        *outer, name = path.strip().split(".")
        place = table
        for each in outer:
            place = place.setdefault(each, {})
        try:
            place[name] = json.loads(text)
        except ValueError:
            place[name] = text
    return table


def _change(address: str, token_file: Path, settings: list[str], faults: list[str], clear: bool) -> None:
    """Change a running sandbox and print how it stands."""
    if not address.startswith("http://127.0.0.1:"):
        raise Invalid(
            "sandbox.address", "That is not a sandbox's address", "It begins with http://127.0.0.1:."
        )
    if clear:
        _ask(address, token_file, "DELETE", "faults")
    if settings:
        _ask(address, token_file, "PATCH", "settings", _table(settings))
    for line in faults:
        _ask(address, token_file, "POST", "faults", {"line": line})
    print(json.dumps(_ask(address, token_file, "GET", "state"), indent=2))


def _ask(address: str, token_file: Path, method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(  # noqa: S310 - the address was checked
        f"{address.rstrip('/')}/sandbox/v1/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {token_file.read_text(encoding='utf-8').strip()}"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as given:
            text = given.read()
    except urllib.error.HTTPError as error:
        problem = json.loads(error.read())["errors"][0]
        raise Invalid(
            "sandbox.refused", "The sandbox refused", problem["message"], problem["solution"]
        ) from None
    except OSError as error:
        raise Unavailable("sandbox.away", "No sandbox answers there", type(error).__name__) from None
    return json.loads(text) if text else None
