"""``qsec token``: short-lived bearers for tools, from the Jupyter Server that runs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Annotated, Any, Literal

import typer

from ..core.errors import Denied, Invalid, NotFound, QsecError
from .servers import Server, ask, with_qsec

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


@app.command("gateway")
def gateway(
    target: Annotated[str, typer.Argument(help="A target of tier proxy.")],
    scope: Annotated[
        Literal["submit", "metadata"], typer.Option(help="metadata is to look only.")
    ] = "submit",
    job: Annotated[str | None, typer.Option(help="Only to read the results of this job of yours.")] = None,
    reason: Annotated[str, typer.Option(help="What for.")] = "qsec token gateway",
    ticket: Annotated[str | None, typer.Option(help="A ticket, where the target wants one.")] = None,
    duration: Annotated[str, typer.Option("--for", help="How long it is good, at most 8h.")] = "15m",
    server: ServerUrl = None,
) -> None:
    """Make a bearer for any HTTP client at the gateway; print it once, with its address, as JSON.

    A program of `qsec run` uses the grant that it has; only --job says something there.

    Elsewhere a grant is asked for, and `qsec token revoke ID` ends it.
    """
    from ..core.wire import FD_VARIABLE

    if FD_VARIABLE in os.environ:
        print(json.dumps(_of_this_run(target, job), indent=1))
        return
    from ..core.duration import parse_duration

    scopes = ["metadata", "retrieve"] if job else [scope]
    tool = {"scopes": scopes, "targets": [target], "seconds": parse_duration(duration), "label": reason}
    wish = {"target": target, "reason": reason, "ticket": ticket, "duration": duration, "scope": scope}
    print(json.dumps(_asked(with_qsec(server), tool, wish, job), indent=1))


def _of_this_run(target: str, job: str | None) -> dict[str, Any]:
    """Return what the program that runs us may use, asked over its channel."""
    from ..kernel.session import current

    held = current().reading(target, job) if job else current().credential(target)
    about = {"public": held.public, "tier": held.tier, "target": target, "expires_at": held.expires_at}
    return _told(about, held.reveal, None)


def _asked(server: Server, tool: dict[str, Any], wish: dict[str, Any], job: str | None) -> dict[str, Any]:
    """Return what a server's control plane gives a tool of this person; nothing is left if it refuses."""
    made = server.ask("tokens", tool)
    bearer, control = f"Bearer {made['bearer']}", f"{made['url']}/v1"
    try:
        if job is None:  # results are read by the right that their submission left
            _active(ask(f"{control}/grants", bearer, wish))
        issued = ask(f"{control}/credentials", bearer, {"target": wish["target"], "job": job})
        return _told(issued, lambda: str(issued["value"]), made["id"])
    except QsecError:
        server.ask(f"tokens/{made['id']}/revoke", {})
        raise


def _active(grant: dict[str, Any]) -> None:
    if grant["state"] != "active":
        raise Denied(
            "token.needs_approval",
            "That target needs approval, or has not begun",
            f"{grant['target']} is {grant['state']}; a tool does not wait for a person.",
            "Work with it from a notebook, or have policy approve it by itself.",
        )


def _told(issued: dict[str, Any], reveal: Callable[[], str], token_id: str | None) -> dict[str, Any]:
    public = issued["public"]
    if "gateway" not in public:
        raise Invalid(
            "token.not_proxied",
            "That target is not reached through the gateway",
            f"{issued['target']} hands out a credential (tier {issued['tier']}).",
            "Choose a target of tier proxy.",
        )
    return {
        "id": token_id,
        "target": issued["target"],
        "provider": public["provider"],
        "scope": public["scope"],
        "url": public["gateway"],
        "bearer": reveal(),
        "expires_at": issued["expires_at"],
    }


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
        raise NotFound("token.unknown", "There is no such token", "", "`qsec token list` shows yours.")
    ended: dict[str, Any] = with_qsec(server).ask(f"tokens/{token}/revoke", {})
    print(f"{ended['id']} is over.")
