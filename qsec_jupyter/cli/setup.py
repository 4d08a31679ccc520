"""``qsec setup vault``: show what a Vault or OpenBao needs for us, and write it when asked.

The only command that takes an administrator's token. It is read from ``VAULT_TOKEN``, from the
file that ``vault login`` leaves, or typed at a prompt; it is used here and kept nowhere.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..core.errors import Invalid
from ..core.paths import home
from ..core.secret import Secret

if TYPE_CHECKING:  # the command's help must not need the control extra
    from ..control.credentials.broker import TargetSource
    from ..control.credentials.setup import Change

app = typer.Typer(name="setup", no_args_is_help=True, add_completion=False)
_MARK = {"create": "[green]+ create[/]", "update": "[yellow]~ update[/]", "keep": "[dim]= keep  [/]"}


@app.callback()
def _setup() -> None:
    """Prepare a Vault or OpenBao for the control plane."""


@app.command()
def vault(
    plan: Annotated[bool, typer.Option("--plan", help="Show what would change; the default.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Write what differs.")] = False,
    public_key: Annotated[
        list[Path] | None, typer.Option(help="PEM public key to trust instead of this machine's.")
    ] = None,
) -> None:
    """Compare mounts, roles and policies in the Vault at VAULT_ADDR with what is shipped."""
    if plan and apply:
        raise Invalid("setup.plan_or_apply", "Choose --plan or --apply", "", "Leave one of the two out.")
    environ = os.environ
    if not environ.get("VAULT_ADDR"):
        raise Invalid(
            "setup.no_address",
            "VAULT_ADDR is not set",
            "Without it a dev server or the embedded store is used, which set themselves up.",
            "Set VAULT_ADDR to your Vault, e.g. https://vault.example.org:8200",
        )
    _run(environ, catalogue_targets(), _public_keys(public_key), apply)


def _run(
    environ: Mapping[str, str], targets: Mapping[str, TargetSource], keys: list[str], apply: bool
) -> None:
    from ..control.credentials.naming import Mounts
    from ..control.credentials.setup import VaultSetup
    from ..control.credentials.vault import Endpoint, VaultAdapter

    adapter = VaultAdapter(Endpoint.from_environ(environ))
    mounts = Mounts.from_environ(environ)
    try:
        setup = VaultSetup(adapter, administrator_token(environ), mounts)
        changes = setup.plan(targets, keys)
        show(changes)
        if apply:
            written = setup.apply(changes)
            print(f"{written} written, {len(changes) - written} were right already.")
            _next_steps(mounts.kv, targets)
        elif any(change.action != "keep" for change in changes):
            print("Nothing was written. `qsec setup vault --apply` writes this.")
        else:
            print("Everything is as it should be.")
    finally:
        adapter.close()


def administrator_token(environ: Mapping[str, str]) -> Secret:
    """Return the token from ``VAULT_TOKEN``, ``~/.vault-token`` or a prompt that does not echo.

    Raises:
        Invalid: ``setup.no_token`` when there is none and nobody to ask.
    """
    token = environ.get("VAULT_TOKEN", "").strip()
    left = Path(environ.get("HOME", "~")).expanduser() / ".vault-token"
    if not token and left.is_file():
        token = left.read_text("utf-8").strip()
    if not token and sys.stdin.isatty():
        token = str(typer.prompt("Administrator's token", hide_input=True)).strip()
    if not token or not token.isascii() or not token.isprintable():
        raise Invalid(
            "setup.no_token",
            "There is no administrator's token",
            "VAULT_TOKEN is not set, `vault login` left none, and there is no terminal to ask at.",
            "Log in with `vault login` or set VAULT_TOKEN for this one command.",
        )
    return Secret(token, "administrator's token")


def catalogue_targets() -> dict[str, TargetSource]:
    """Return where each target of the catalogue keeps its secret."""
    from ..control.catalog import load_catalog

    return load_catalog(home()).sources


def _public_keys(files: list[Path] | None) -> list[str]:
    """Return the keys to trust: those of the files, else this machine's, made when it has none yet."""
    from ..control.credentials.identity import own_public_pem
    from ..control.credentials.keystore import KeyStore, real_keyring

    if not files:
        return [own_public_pem(KeyStore(home(), real_keyring()))]
    keys = [path.read_text("utf-8") for path in files]
    for path, key in zip(files, keys, strict=True):
        if not key.startswith("-----BEGIN PUBLIC KEY-----"):
            raise Invalid(
                "setup.not_a_public_key",
                "A file is not a public key",
                f"{path} does not begin as a PEM public key does.",
                "Never hand a private key around; without --public-key this machine's own is used.",
            )
    return keys


def show(changes: list[Change]) -> None:
    """Print the plan as a diff."""
    from rich.console import Console
    from rich.markup import escape

    console = Console(highlight=False)
    for change in changes:
        console.print(f"{_MARK[change.action]}  {change.what} {escape(change.name)}")
        for line in change.differences:
            colour = {"+": "green", "-": "red"}.get(line[:1], "dim")
            console.print(f"            [{colour}]{escape(line)}[/]", soft_wrap=True)


def _next_steps(kv: str, targets: Mapping[str, TargetSource]) -> None:
    print("\nThe secrets themselves are yours to put there, for each target that is used:")
    for name, source in sorted(targets.items()):
        print(f"  vault kv put -mount={kv} {source.path} {source.field}=-    # {name}")
    print("\nThen: qsec doctor")
