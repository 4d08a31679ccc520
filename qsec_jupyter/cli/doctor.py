"""``qsec doctor``: what is on, what is off and why, with the way forward for each."""

from __future__ import annotations

import importlib.util
import json
import os
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ..core.paths import home, journals

State = Literal["on", "off", "wrong"]
_SIGN = {"on": "[green]on   [/]", "off": "[yellow]off  [/]", "wrong": "[red]wrong[/]"}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that doctor looked at. ``wrong`` makes the command exit non-zero, ``off`` does not."""

    area: str
    name: str
    state: State
    detail: str
    remedy: str = ""


def doctor(
    area: Annotated[
        Literal["all", "vault"], typer.Argument(help="`vault` asks the Vault for every permission.")
    ] = "all",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object.")] = False,
) -> None:
    """Say what is on, what is off and why."""
    if area == "vault":
        lines = [*credentials(os.environ), *permissions(os.environ)]
    else:
        lines = [
            *installation(),
            *jupyter(os.environ),
            *scanner(),
            *state(),
            *credentials(os.environ),
            *notifications(),
        ]
    if as_json:
        print(json.dumps([{key: getattr(line, key) for key in Line.__slots__} for line in lines], indent=1))
    else:
        _print(lines)
    raise typer.Exit(1 if any(line.state == "wrong" for line in lines) else 0)


def _print(lines: list[Line]) -> None:
    from rich.console import Console
    from rich.markup import escape

    console, area = Console(highlight=False), ""
    for line in lines:
        if line.area != area:
            area = line.area
            console.print(f"\n[bold]{area}[/]")
        console.print(f"  {_SIGN[line.state]}  {line.name}: {escape(line.detail)}", soft_wrap=True)
        if line.remedy and line.state != "on":
            console.print(f"         {escape(line.remedy)}", soft_wrap=True)
    console.print()


def installation() -> Iterator[Line]:
    """Look at the interpreter and the extras."""
    version = ".".join(map(str, sys.version_info[:3]))
    yield Line("Installation", "Python", "on", version)
    for extra, module, needed, what in (
        ("control", "fastapi", True, "the control plane"),
        ("lab", "jupyterlab", False, "JupyterLab"),
        ("quantum", "qiskit", False, "Qiskit with its simulator"),
    ):
        if importlib.util.find_spec(module):
            yield Line("Installation", extra, "on", f"{what} is installed")
        else:
            remedy = f"pip install 'qsec-jupyter[{extra}]'"
            yield Line(
                "Installation", extra, "wrong" if needed else "off", f"{what} is not installed", remedy
            )


def jupyter(environ: Mapping[str, str]) -> Iterator[Line]:
    """Look at what Jupyter would load."""
    from jupyter_core.paths import jupyter_config_path, jupyter_path

    enabled = _server_extension_enabled(map(Path, jupyter_config_path()))
    if enabled:
        yield Line("Jupyter", "server extension", "on", "enabled")
    else:
        remedy = "jupyter server extension enable qsec_jupyter.server"
        yield Line("Jupyter", "server extension", "wrong", "not enabled", remedy)
    front = [Path(p) / "qsec-jupyter" / "package.json" for p in jupyter_path("labextensions")]
    if any(path.exists() for path in front):
        yield Line("Jupyter", "front end", "on", "installed for JupyterLab and Notebook 7")
    else:
        yield Line("Jupyter", "front end", "wrong", "not installed", "Install the wheel, or run make install")
    chosen = environ.get("JUPYTER_DEFAULT_PROVISIONER_NAME", "local-provisioner")
    registered = "qsec-provisioner" in entry_points(group="jupyter_client.kernel_provisioners").names
    if not registered:
        yield Line("Jupyter", "kernels", "wrong", "our provisioner is not registered", "Install the package")
    elif chosen not in {"local-provisioner", "qsec-provisioner"}:
        detail = f"kernels are started by {chosen}, so they get no credentials"
        yield Line("Jupyter", "kernels", "off", detail, "Unset JUPYTER_DEFAULT_PROVISIONER_NAME")
    else:
        yield Line("Jupyter", "kernels", "on", "Python kernels get a socket and hooks")


def _server_extension_enabled(folders: Any) -> bool:
    """Read the switch as Jupyter does: earlier folders win."""
    for folder in folders:
        for name in ("jupyter_server_config.json", "jupyter_server_config.d/qsec_jupyter.json"):
            path = folder / name
            if path.exists():
                settings = json.loads(path.read_text()).get("ServerApp", {}).get("jpserver_extensions", {})
                if "qsec_jupyter.server" in settings:
                    return bool(settings["qsec_jupyter.server"])
    return False


def scanner() -> Iterator[Line]:
    """Look at the matching engine."""
    if importlib.util.find_spec("hyperscan"):
        yield Line("Scanner", "engine", "on", "Hyperscan")
    else:
        detail = "Python's re, many times slower; a large notebook's save will be felt"
        yield Line("Scanner", "engine", "off", detail, "pip install hyperscan, where there is a wheel")


def state() -> Iterator[Line]:
    """Look at the state folder and its journals."""
    folder = home()
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & 0o077:
        yield Line(
            "State", "folder", "wrong", f"{folder} is open to others ({mode:04o})", f"chmod 700 {folder}"
        )
    else:
        yield Line("State", "folder", "on", f"{folder}, for this account only")
    if not journals():
        yield Line("State", "journal", "off", "none yet", "The first control plane makes one")
    for journal in journals():
        detail = "in use by a control plane" if _in_use(journal) else "not in use"
        yield Line("State", journal.name, "on", f"{detail}; `qsec verify` checks it")


def _in_use(journal: Path) -> bool:
    import fcntl

    lock = journal / "lock"
    if not lock.exists():
        return False
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


def credentials(environ: Mapping[str, str]) -> Iterator[Line]:
    """Look at where credentials come from; starts nothing."""
    if not importlib.util.find_spec("hvac"):
        return
    from ..control.catalog import load_catalog
    from ..control.credentials.choose import choose

    choice = choose(environ)
    yield Line("Credentials", "store", "on", choice.sentence)
    for check in choice.checks(home(), load_catalog(home()).sources):
        yield Line("Credentials", check.name, "on" if check.ok else "wrong", check.detail, check.remedy)


def notifications() -> Iterator[Line]:
    """Look at the channels by which people are told, and at what waits to be sent."""
    if not importlib.util.find_spec("hvac"):
        return
    from ..control.catalog import load_catalog
    from ..core.errors import QsecError

    channels = load_catalog(home()).channels
    if not channels:
        yield Line("Notifications", "channels", "off", "none", "[notifications.NAME] in catalog.toml")
    for channel in channels.values():
        try:
            channel.secret(home())
        except QsecError as error:
            yield Line("Notifications", channel.name, "wrong", f"{error.title}. {error.detail}", error.remedy)
        else:
            waiting = _waiting(channel.name)
            detail = f"{channel.kind} for {', '.join(channel.events)}; {waiting} wait to be sent"
            yield Line("Notifications", channel.name, "on", f"{detail}; `qsec notify --test` tries it")


def _waiting(channel: str) -> int:
    """Count what waits in every journal, also while control planes use them."""
    from sqlalchemy.exc import SQLAlchemyError

    from ..control import tables
    from ..control.store import Store, open_to_read

    found = 0
    for journal in journals():
        if not (journal / "qsec.db").exists():
            continue
        store = Store(open_to_read(journal / "qsec.db"))
        try:
            found += len(store.rows(tables.notices, {"channel": channel}))
        except SQLAlchemyError:  # an older journal, which no control plane has opened since
            continue
        finally:
            store.close()
    return found


def permissions(environ: Mapping[str, str]) -> Iterator[Line]:
    """Ask the Vault what our tokens may do: each permission that is missing, each that is too wide."""
    from ..control.catalog import load_catalog
    from ..control.credentials.choose import choose

    for check in choose(environ).permissions(home(), load_catalog(home()).sources):
        yield Line("Permissions", check.name, "on" if check.ok else "wrong", check.detail, check.remedy)
