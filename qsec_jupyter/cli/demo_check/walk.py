"""The nine steps of the first-run notebook, each checked on what a user would see.

The checker learns the credential's value by having the kernel print it shifted by one code point,
which no redaction can recognise; that is what lets every step search for the value itself.
"""

from __future__ import annotations

import json
import os
import queue
import secrets
import shutil
import signal
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ..demo_sandbox import DemoSandbox, demo_home
from .jupyter import CheckFailed, Kernel, Server, expect

_FAILURES = (CheckFailed, OSError, queue.Empty, LookupError, ValueError, subprocess.SubprocessError)
"""What a step may end with when something does not hold, the step before it among others."""


def run(notebook: Path) -> int:
    """Walk the notebook and print a line for each step; return the process's exit status."""
    with tempfile.TemporaryDirectory(prefix="qsec-check-") as folder:
        walk = Walk(Path(folder), notebook)
        failed = number = 0
        try:
            for number, step in enumerate(walk.steps(), start=1):
                started = time.monotonic()
                try:
                    line, mark = step(), "pass"
                except (
                    CheckFailed,
                    OSError,
                    queue.Empty,
                    LookupError,
                    ValueError,
                    subprocess.SubprocessError,
                ) as error:
                    line, mark = f"{type(error).__name__}: {error}", "FAIL"
                    failed += 1
                print(f"step {number}  {mark}  {line}  ({time.monotonic() - started:.1f} s)", flush=True)
        finally:
            walk.stop()
        if failed:
            print(walk.log_tail())
    print(f"{number - failed} passed, {failed} failed")
    return 1 if failed else 0


class Walk:
    """The nine steps, in order; each returns the line that is printed when it holds."""

    def __init__(self, folder: Path, notebook: Path) -> None:
        import nbformat

        self._folder = folder
        self._root = folder / "work"
        self._root.mkdir()
        shutil.copyfile(notebook, self._root / notebook.name)
        self._name = notebook.name
        self._cells = {cell.id: cell for cell in nbformat.read(notebook, as_version=4).cells}
        self._environ = dict(os.environ)
        if not os.environ.get("VAULT_ADDR"):
            # A Vault is set up for the broker key of one home, so only then the demo's usual one is used.
            self._environ["QSEC_HOME"] = str(folder / "home")
        self._home = demo_home(self._environ)
        self._environ["QSEC_HOME"] = str(self._home)
        self._provider: DemoSandbox | None = None
        self._key = ""
        self._server: Server | None = None
        self._kernel: Kernel | None = None
        self._value = ""

    def steps(self) -> Iterator[Callable[[], str]]:
        """Yield the steps."""
        yield from (self._start, self._request, self._job, self._credential, self._record)
        yield from (self._redact, self._panel, self._verify, self._end)

    # -- parts --------------------------------------------------------------------------------

    def _live(self) -> tuple[Server, Kernel]:
        if self._server is None or self._kernel is None:
            raise CheckFailed("there is no server, see step 1")
        return self._server, self._kernel

    def _cell(self, cell_id: str, while_waiting: Callable[[], None] | None = None) -> str:
        """Run a cell of the notebook and keep its outputs; return them as JSON text."""
        _, kernel = self._live()
        cell = self._cells[cell_id]
        cell.outputs = kernel.execute(cell.source, while_waiting)
        errors = [output for output in cell.outputs if output["output_type"] == "error"]
        if errors and "raises-exception" not in cell.metadata.get("tags", []):
            raise CheckFailed(f"cell {cell_id} raised {errors[0]['ename']}: {errors[0]['evalue']}")
        return json.dumps(cell.outputs)

    # -- steps --------------------------------------------------------------------------------

    def _start(self) -> str:
        from ..demo_sandbox import prepare_vault

        self._provider = DemoSandbox(self._home)
        self._key = self._provider.key_file.read_text(encoding="utf-8").strip()
        os.environ["QSEC_HOME"] = self._environ["QSEC_HOME"]
        prepare_vault()
        self._environ.pop("VAULT_TOKEN", None)
        self._server = Server(self._folder, self._root, self._environ)
        self._kernel = self._server.kernel(self._name)
        state = self._server.state()
        expect(state["vault"]["label"], "the state names no vault")
        return f"server, kernel and control plane are up; credentials come from {state['vault']['label']}"

    def _request(self) -> str:
        server, kernel = self._live()
        self._cell("request")
        grants = {grant["target"]: grant for grant in server.state()["grants"]}
        expect(grants["sandbox"]["state"] == "active", f"sandbox is {grants['sandbox']['state']}")
        decided: list[float] = []

        def approve() -> None:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                waiting = [grant for grant in server.state()["approvals"] if grant["target"] == "pilot"]
                if waiting:
                    server.api("POST", f"qsec/grants/{waiting[0]['id']}/approve", {"comment": "checked"})
                    decided.append(time.monotonic())
                    return
                time.sleep(0.1)
            raise CheckFailed("pilot's request never showed up for approval")

        self._cell("pilot", approve)
        waited = time.monotonic() - decided[0]
        expect(waited < 2, f"the waiting call returned {waited:.1f} s after the approval")
        grants = {grant["target"]: grant for grant in server.state()["grants"]}
        expect(grants["pilot"]["state"] == "active", f"pilot is {grants['pilot']['state']}")
        expect(grants["pilot"]["kernel_id"] == kernel.id, "pilot's grant belongs to another kernel")
        return f"sandbox approved by policy, pilot by a person; the kernel went on {waited:.2f} s later"

    def _job(self) -> str:
        """Run a job on the provider: its key stays here, and the user's names stay there."""
        import urllib.request

        server, kernel = self._live()
        assert self._provider is not None
        backends = self._cell("service")
        expect("sandbox_manila" in backends, "the service shows no device")
        counts = self._cell("run-provider")
        expect("'00'" in counts and "'11'" in counts, "the job gave no counts")
        exposed = self._cell("exposure")
        expect("my secret idea" in exposed, "the exposure does not name what was hidden")
        hello = self._provider.hello
        token = Path(hello["admin_token_file"]).read_text(encoding="utf-8").strip()
        request = urllib.request.Request(  # noqa: S310  # loopback, from the sandbox itself
            f"{hello['admin']}/jobs", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
            arrived = json.loads(answer.read())["jobs"]
        expect(len(arrived) == 1, f"{len(arrived)} jobs reached the provider, not 1")
        expect("my secret idea" not in arrived[0]["request"], "the provider sees the circuit's name")
        for process in server.family():
            expect(self._key not in " ".join(process.cmdline()), "the provider's key is on a command line")
            expect(self._key not in str(process.environ()), "the provider's key is in an environment")
        held = kernel.text("print(service.active_account()['token'].startswith('sandbox-'))")
        expect(held == "False", "the kernel's client holds the provider's key")
        self._search_disk(self._key, besides=self._provider.key_file)
        return "the unmodified client ran a job; the provider's key and the circuit's name did not travel"

    def _credential(self) -> str:
        server, kernel = self._live()
        shown = self._cell("credential")
        expect("[redacted: sandbox-key]" in shown, "the credential does not show as a marker")
        shifted = kernel.text("print(''.join(chr(ord(c) + 1) for c in credential.reveal()))")
        self._value = "".join(chr(ord(c) - 1) for c in shifted)
        expect(len(self._value) >= 8, "reveal() gave nothing")
        found = kernel.text(
            "import pickle, os; v = credential.reveal()\n"
            "print(v in repr(os.environ), v in f'{credential}{credential!r}', v.encode() in "
            "pickle.dumps(credential), v.encode() in open('/proc/self/environ', 'rb').read() "
            "if os.path.exists('/proc/self/environ') else False)"
        )
        expect(found == "False False False False", f"the value shows in environ/str/pickle: {found}")
        expect(self._value not in shown, "the value shows in the cell")
        for process in server.family():
            expect(self._value not in " ".join(process.cmdline()), "the value is on a command line")
            expect(self._value not in str(process.environ()), "the value is in an environment")
        self._search_disk(self._value)
        return "the credential shows as a marker; its value is in no environment, file, log or command line"

    def _search_disk(self, value: str, besides: Path | None = None) -> None:
        for folder in (self._home, self._folder):
            for path in folder.rglob("*"):
                if path != besides and path.is_file() and value.encode() in path.read_bytes():
                    raise CheckFailed(f"the value is on disk, in {path.name}")

    def _record(self) -> str:
        server, kernel = self._live()
        for cell_id in ("run-aer", "run-samplers"):
            self._cell(cell_id)
        runs: list[dict[str, Any]] = []
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            runs = [entry for entry in server.state()["runs"] if entry["kernel_id"] == kernel.id]
            if len(runs) >= 4 and all(entry["completion"] for entry in runs):
                break
            time.sleep(0.2)
        expect(len(runs) == 4, f"{len(runs)} runs are recorded, not 4")
        expect(all(entry["intent"] and entry["completion"] for entry in runs), "a run lacks a statement")
        counts = self._ledger_counts()
        both = {name: counts.get(name) for name in ("run.intent", "run.completion")}
        expect(set(both.values()) == {4}, f"the ledger holds {counts}")
        card = self._cell("provenance")
        newest = runs[0]
        expect(newest["intent"][:12] in card or newest["run_id"][:12] in card, "the card names no id")
        return f"four runs, one intent and one completion each, signed by {newest['signed_by']}"

    def _ledger_counts(self) -> dict[str, int]:
        from ...ledger.entries import read_events

        counts: dict[str, int] = {}
        for journal in sorted(self._home.glob("journal-*")):
            for event in read_events(journal / "ledger"):
                if str(event["type"]).startswith("run."):
                    counts[event["type"]] = counts.get(event["type"], 0) + 1
        return counts

    def _redact(self) -> str:
        import nbformat

        server, _ = self._live()
        for cell_id in ("leak-print", "leak-shell", "leak-error"):
            shown = self._cell(cell_id)
            expect("[redacted: sandbox-key]" in shown, f"{cell_id} shows no marker")
            expect(self._value not in shown, f"{cell_id} leaks the value")
        alphabet = string.ascii_letters + string.digits + "-_"
        planted = ["".join(secrets.choice(alphabet) for _ in range(44)) for _ in range(2)]
        cells = [*self._cells.values(), nbformat.v4.new_code_cell(f'token = "{planted[0]}"')]
        old = nbformat.v4.new_output("stream", name="stdout", text=f"{{'token': '{planted[1]}'}}\n")
        cells.append(nbformat.v4.new_code_cell("print(account)", outputs=[old]))
        body = nbformat.v4.new_notebook(cells=cells, metadata={"language_info": {"name": "python"}})
        server.api("PUT", f"api/contents/{self._name}", {"type": "notebook", "content": body})
        saved = (self._root / self._name).read_text()
        expect(not any(token in saved for token in planted), "a pasted token is in the saved file")
        expect(saved.count("[redacted: ") >= 5, "the saved file holds too few markers")
        nbformat.validate(json.loads(saved))
        report = server.api("GET", f"qsec/scan?path={self._name}")
        expect(len(report["findings"]) >= 2, "the save reports no findings")
        expect(report["cells"], "the open tab is offered nothing to be brought in step with")
        self._search_disk(self._value)
        return "printed, echoed and raised values show as markers; two pasted tokens stayed off the disk"

    def _panel(self) -> str:
        server, _ = self._live()
        page = server.api("GET", "lab")
        expect("qsec-jupyter" in page, "JupyterLab does not load the front end")
        deadline = time.monotonic() + 5  # a save is not held up by its report
        while not (state := server.state())["findings"] and time.monotonic() < deadline:
            time.sleep(0.1)
        parts = ("principal", "vault", "targets", "grants", "approvals", "runs", "findings", "health")
        missing = [part for part in parts if part not in state]
        expect(not missing, f"the state lacks {missing}")
        expect(state["findings"], "the findings did not reach the control plane")
        text = json.dumps(state)
        expect(self._value not in text, "the state holds the value")
        return f"JupyterLab loads the panel; health is {state['health']['status']}"

    def _qsec(self, *arguments: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
        environ = {**self._environ, "QSEC_HOME": str(home or self._home), "COLUMNS": "200"}
        command = [sys.executable, "-m", "qsec_jupyter.cli", *arguments]
        return subprocess.run(  # noqa: S603  # our own command
            command, env=environ, capture_output=True, text=True, timeout=60, check=False
        )

    def _verify(self) -> str:
        verified = self._qsec("verify")
        expect(verified.returncode == 0, f"verify exits {verified.returncode}: {verified.stdout[-400:]}")
        for what in ("ledger", "statements"):
            copy = self._folder / f"flipped-{what}"
            shutil.copytree(self._home, copy)
            victim = max((copy / "journal-0" / what).glob("*.*"), key=lambda path: path.stat().st_size)
            data = bytearray(victim.read_bytes())
            data[len(data) // 2] ^= 1
            victim.write_bytes(data)
            broken = self._qsec("verify", home=copy)
            expect(broken.returncode != 0, f"verify does not see a flipped byte in {what}")
            expect(broken.stdout.strip(), "verify does not name the record")
        doctor = self._qsec("doctor")
        expect(doctor.returncode == 0, f"doctor exits {doctor.returncode}: {doctor.stdout[-400:]}")
        return "ledger and statements verify offline; one flipped byte in either is named; doctor is content"

    def _end(self) -> str:
        import psutil

        server, kernel = self._live()
        server.api("DELETE", f"api/kernels/{kernel.id}")
        kernel.close()
        deadline = time.monotonic() + 5
        open_grants = ["?"]
        while open_grants and time.monotonic() < deadline:
            grants = server.state()["grants"]
            open_grants = [g["target"] for g in grants if g["kernel_id"] == kernel.id and not g["ended_at"]]
            time.sleep(0.1)
        expect(not open_grants, f"the kernel is gone and {open_grants} is still granted")
        other = server.kernel(self._name)
        other.execute('import qsec_jupyter as qsec; qsec.request("sandbox", reason="to be killed")')
        other.execute('_held = qsec.credential("sandbox")')
        other.close()
        family = server.family()
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        _, alive = psutil.wait_procs(family, timeout=15)
        left = [process.name() for process in alive]
        expect(not left, f"processes survive kill -9 of the server: {left}")
        last = self._last_events()
        expect("grant.revoked" in last and "control.stopped" in last, f"the ledger ends with {last}")
        verified = self._qsec("verify")
        expect(verified.returncode == 0, f"verify exits {verified.returncode} after kill -9")
        return (
            "the kernel's end revoked its grants; kill -9 of the server revoked the rest and left no process"
        )

    def _last_events(self) -> list[str]:
        from ...ledger.entries import read_events

        return [str(event["type"]) for event in read_events(self._home / "journal-0" / "ledger")][-8:]

    # -- end ----------------------------------------------------------------------------------

    def stop(self) -> None:
        """End whatever still runs."""
        if self._server is not None and self._server.process.poll() is None:
            self._server.process.terminate()
            try:
                self._server.process.wait(20)
            except subprocess.TimeoutExpired:
                self._server.process.kill()
        if self._provider is not None:
            self._provider.stop()

    def log_tail(self) -> str:
        """Return the end of the server's log, for a failed check."""
        log = self._folder / "server.log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else ""
