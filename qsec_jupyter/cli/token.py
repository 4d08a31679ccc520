"""``qsec token``: short-lived bearers for tools, from the Jupyter Server that runs."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from .servers import with_qsec

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Make, list and revoke short-lived bearers for tools."
)

ServerUrl = Annotated[
    str | None, typer.Option("--server", help="A Jupyter Server's address, if several run.")
]


@app.command("issue")
def issue(
    scope: Annotated[list[str], typer.Option(help="submit, retrieve or metadata; may be repeated.")],
    target: Annotated[list[str] | None, typer.Option(help="A target; may be repeated.")] = None,
    duration: Annotated[str, typer.Option("--for", help="How long it is good, at most 8h.")] = "15m",
    label: Annotated[str, typer.Option(help="What it is for.")] = "",
    server: ServerUrl = None,
) -> None:
    """Make a bearer and print it once, with the address that takes it, as JSON."""
    from ..core.duration import parse_duration

    body = {
        "scopes": scope,
        "targets": target or [],
        "seconds": parse_duration(duration),
        "label": label,
    }
    print(json.dumps(with_qsec(server).ask("tokens", body), indent=1))


@app.command("list")
def list_tokens(server: ServerUrl = None) -> None:
    """List your bearers, without their values."""
    from .terminal import plain

    for token in with_qsec(server).ask("tokens")["tokens"]:
        what = f"{', '.join(token['scopes'])}  {', '.join(token['targets']) or 'no target'}"
        print(f"{token['id']}  until {token['expires_at']}  {what}  {plain(token['label'])}")


@app.command("revoke")
def revoke(token: Annotated[str, typer.Argument(help="Its id.")], server: ServerUrl = None) -> None:
    """End a bearer, and the grants that hang on it."""
    if not token.isalnum():
        from ..core.errors import NotFound

        raise NotFound("token.unknown", "There is no such token", "", "`qsec token list` shows yours.")
    ended: dict[str, Any] = with_qsec(server).ask(f"tokens/{token}/revoke", {})
    print(f"{ended['id']} is over.")
