"""What the demo stands on: its own provider, a sandbox as a child; a catalogue that leads to it; a Vault."""

from __future__ import annotations

import json
import os
import string
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..core.errors import Conflict, Unavailable
from ..core.paths import home

_TEMPLATE = Path(__file__).with_name("demo_catalog.toml")
_FIRST = _TEMPLATE.read_text(encoding="utf-8").splitlines()[0]
_FILE = "catalog.toml"


def demo_home(environ: Mapping[str, str]) -> Path:
    """Return the demo's state folder: ``QSEC_HOME`` where it is set, else one beside the user's own things.

    Raises:
        Conflict: ``demo.catalogue`` when there is a catalogue that the demo did not write.
    """
    folder = Path(environ["QSEC_HOME"]).expanduser() if environ.get("QSEC_HOME") else home() / "demo"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    catalogue = folder / _FILE
    if catalogue.exists() and not catalogue.read_text(encoding="utf-8").startswith(_FIRST):
        raise Conflict(
            "demo.catalogue",
            "That state folder has targets of its own",
            f"{_FILE} there was not written by the demo.",
            "Set QSEC_HOME to another folder, or leave it unset.",
        )
    return folder


class DemoSandbox:
    """A running sandbox, and the catalogue that leads to it.

    It ends when the last holder of :attr:`lifeline` does: this process, or what it becomes.

    Args:
        folder: The demo's state folder.
    """

    def __init__(self, folder: Path) -> None:
        place = folder / "sandbox"
        place.mkdir(mode=0o700, exist_ok=True)
        self.key_file = place / "api-key"
        command = [sys.executable, "-m", "qsec_jupyter.cli", "sandbox", "--with-parent"]
        command += ["--api-key-file", str(self.key_file), "--admin-token-file", str(place / "admin-token")]
        with (place / "log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # our own command
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True
            )
        self.hello = self._hello()
        _write(folder / _FILE, self.hello)

    @property
    def lifeline(self) -> int:
        """The file descriptor whose closing ends the sandbox."""
        assert self._process.stdin is not None
        return self._process.stdin.fileno()

    def keep_over_exec(self) -> None:
        """Let the program that takes this one's place hold the lifeline; no child of it gets it."""
        os.set_inheritable(self.lifeline, True)

    def stop(self) -> None:
        """End it and wait until it is gone."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _hello(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        with self._process.stdout as said:
            line = said.readline()
        if not line:
            self.stop()
            raise Unavailable(
                "demo.no_sandbox",
                "The demo's provider did not start",
                f"`qsec sandbox` ended with status {self._process.returncode}.",
                "Run it by hand to see why; it needs the extra: pip install 'qsec-jupyter[sandbox]'.",
            )
        return dict(json.loads(line))


def _write(file: Path, hello: Mapping[str, Any]) -> None:
    """Write the catalogue in which the targets lead to a sandbox."""
    instances = hello["instances"]
    places = {name: str(hello[name]) for name in ("api_key_file", "iam", "runtime", "search", "catalog")}
    places |= {"open": instances["sandbox-open"], "premium": instances["sandbox-premium"]}
    # A value stands between double quotes, so what TOML would read in it is escaped as JSON escapes it.
    quoted = {name: json.dumps(value)[1:-1] for name, value in places.items()}
    text = string.Template(_TEMPLATE.read_text(encoding="utf-8")).substitute(quoted)
    part = file.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(file)


def prepare_vault() -> None:
    """Set up the Vault of ``VAULT_ADDR`` when an administrator's token is at hand, then forget the token."""
    token = os.environ.pop("VAULT_TOKEN", None)
    if os.environ.get("VAULT_ADDR") and token:
        from ..control.credentials.setup import apply_with_token

        apply_with_token(token, seed=True)
