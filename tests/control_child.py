"""The control plane as a real child process, spoken to as the Jupyter Server does."""

import contextlib
import http.client
import json
import os
import resource
import subprocess
import sys
from pathlib import Path

from qsec_jupyter.ledger.entries import read_events

BEARER = "b" * 43
USER = {"name": "ada", "display_name": "Ada", "identity_provider": "local account"}


class Child:
    def __init__(
        self,
        home: Path,
        server_id: str = "server-1",
        file_limit: int | None = None,
        environ=None,
        user=USER,
        gate=None,
        kernels=None,
    ) -> None:
        self.home = home
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("VAULT_")}
        # Without a Vault on PATH or in the environment it is the sealed store.
        environ = {
            **inherited,
            "QSEC_HOME": str(home),
            "PATH": str(Path(sys.executable).parent),
            **(environ or {}),
        }

        def limit() -> None:
            if file_limit:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

        self.log = (home / "child.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qsec_jupyter.cli", "serve", "--embedded"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=environ,
            pass_fds=() if gate is None else (gate.fileno(),),
            preexec_fn=limit,  # noqa: PLW1509  # one system call, before any thread of ours
        )
        hello = {"bearer": BEARER, "server_id": server_id, "user": user}
        if gate is not None:
            hello |= {"gate": gate.fileno(), "kernels": kernels or {}}
        self.process.stdin.write(json.dumps(hello).encode() + b"\n")
        self.process.stdin.flush()
        self.greeting = json.loads(self.process.stdout.readline())

    def ask(self, method, path, body=None, *, kernel=None, bearer=BEARER):
        connection = http.client.HTTPConnection("127.0.0.1", self.greeting["port"], timeout=30)
        headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
        if kernel:
            headers["Qsec-Kernel"] = kernel
        with contextlib.closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())

    def grant(self, kernel="k1", target="sandbox"):
        body = {"target": target, "reason": "r", "ticket": "QC-1"}
        return self.ask("POST", "/v1/grants", body, kernel=kernel)[1]

    def events(self):
        return [event["type"] for event in read_events(self.home / "journal-0" / "ledger")]

    def close(self) -> int:
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()
        return self.process.wait(20)


@contextlib.contextmanager
def children(home: Path):
    """Give a function that starts a child; all of them are gone after the block."""
    begun = []

    def begin(**kwargs) -> Child:
        begun.append(Child(home, **kwargs))
        return begun[-1]

    try:
        yield begin
    finally:
        for child in begun:
            if child.process.poll() is None:
                child.process.kill()
            child.close()


def run_record(number: int, kind: str = "intent"):
    filler = {"note": "x" * 2000}
    return {"run_id": f"{number:032x}", "kind": kind, "time": "t", "framework": "qiskit", "extra": filler}
