"""The other end of a kernel's socket, for tests and benchmarks: real frames, real socket pair, no server.

It keeps grants, credentials and records the way the control plane's contract says, in memory.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import itertools
import socket
import threading
import time
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from qsec_jupyter.core.errors import Denied, Invalid, NotFound, QsecError, Unavailable
from qsec_jupyter.core.model import rfc3339
from qsec_jupyter.core.wire import Decoder, encode

VALUE = "sk-Q7mT2vXw9LpR4nZ8bKdY1cHf"


def _now(seconds: float = 0) -> str:
    return rfc3339(datetime.now(timezone.utc) + timedelta(seconds=seconds))


class Peer:
    """Answers a kernel. ``sandbox`` is approved at once, ``pilot`` waits for :meth:`decide`."""

    def __init__(self, value: str = VALUE) -> None:
        self.kernel_end, self._socket = socket.socketpair()
        self.values = {"sandbox": value, "pilot": value[::-1]}
        self.grants: dict[str, dict[str, Any]] = {}
        self.records: list[dict[str, Any]] = []
        self.gaps: list[dict[str, Any]] = []
        self.evidence: dict[str, tuple[str, bytes]] = {}
        self.calls: list[str] = []
        self.mode = "record"
        self.permitted: set[str] = set()
        self.asked: list[dict[str, Any]] = []
        self.jobs: dict[str, str] = {}
        self.untracked: list[dict[str, Any]] = []
        self.lasting = 1800.0
        self.overrides: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
        self.silent: set[str] = set()
        self._changed = threading.Condition()
        self._write = threading.Lock()
        self._ids = itertools.count(1)
        self._thread = threading.Thread(target=self._serve, name="peer", daemon=True)
        self._thread.start()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with self._changed:
            self._changed.notify_all()
        self._thread.join(5)
        self._socket.close()
        self.kernel_end.close()

    # -- what a test does ------------------------------------------------------

    def decide(self, state: str, comment: str | None = None, grant_id: str | None = None) -> dict[str, Any]:
        """End, approve or deny the newest grant (or the named one), and push it."""
        with self._changed:
            grant = self.grants[grant_id or list(self.grants)[-1]]
            grant.update(state=state, decided_by="grace", decision_comment=comment)
            if state == "active":
                grant.update(activated_at=_now(), expires_at=_now(self.lasting))
            self._changed.notify_all()
        self.push({"push": "grant", "grant": grant})
        return grant

    def push(self, message: dict[str, Any]) -> None:
        with self._write:
            self._socket.sendall(encode(message))

    def wait_for_records(self, count: int, seconds: float = 30.0) -> list[dict[str, Any]]:
        with self._changed:
            came = self._changed.wait_for(lambda: len(self.records) >= count, seconds)
            assert came, f"{len(self.records)} of {count} records came in {seconds:.0f} s"
            return list(self.records)

    def wait_for_call(self, op: str, seconds: float = 10.0) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: op in self.calls, seconds)

    # -- what the kernel asks --------------------------------------------------

    def _serve(self) -> None:
        decoder = Decoder()
        try:
            while data := self._socket.recv(1 << 16):
                for message in decoder.feed(data):
                    with self._changed:
                        self.calls.append(message["op"])
                        self._changed.notify_all()
                    if message["op"] == "grant":
                        threading.Thread(target=self._answer, args=(message,), daemon=True).start()
                    elif message["op"] not in self.silent:
                        self._answer(message)
        except OSError:
            pass

    def _answer(self, message: dict[str, Any]) -> None:
        op, args = message["op"], message["args"]
        handler = self.overrides.get(op) or getattr(self, f"op_{op}")
        try:
            reply = {"id": message["id"], "ok": handler(args)}
        except QsecError as error:
            reply = {"id": message["id"], "error": error.to_problem()}
        try:
            with self._write:
                self._socket.sendall(encode(reply))
        except OSError:
            pass

    def op_targets(self, args: dict[str, Any]) -> dict[str, Any]:
        base = {"provider": "none", "tier": "deliver", "max_duration": 28800, "default_duration": 1800}
        more = {
            "ticket_pattern": None,
            "ticket_required": False,
            "revocability": "at once",
            "future_field": 1,
        }
        return {
            "targets": [
                {"name": "sandbox", "title": "Sandbox", "approval": "auto", **base, **more},
                {"name": "pilot", "title": "Pilot <b>QPU</b>", "approval": "review", **base, **more},
            ]
        }

    def op_request(self, args: dict[str, Any]) -> dict[str, Any]:
        if args["target"] not in self.values:
            raise NotFound("target.unknown", "No such target", "", "%qsec targets lists them.")
        if args["duration"] == "99d":
            raise Invalid("duration.over_cap", "Too long", "The cap is 8h.", "Ask for less.")
        number = f"g-{next(self._ids)}"
        active = args["target"] == "sandbox"
        grant = {
            "id": number, "target": args["target"], "state": "active" if active else "requested",
            "requester": "ada", "kernel_id": "k", "reason": args["reason"], "ticket": args["ticket"],
            "duration": 1800, "requested_at": _now(), "expires_at": _now(self.lasting) if active else None,
            "policies": ["sandbox-auto"], "unknown_future_field": True,
        }  # fmt: skip
        self.grants[number] = grant
        return grant

    def op_grant(self, args: dict[str, Any]) -> dict[str, Any]:
        with self._changed:
            self._changed.wait_for(lambda: self.grants[args["id"]]["state"] != args["unless"], args["wait"])
            return dict(self.grants[args["id"]])

    def op_grants(self, args: dict[str, Any]) -> dict[str, Any]:
        return {"grants": list(reversed(self.grants.values()))}

    def op_credential(self, args: dict[str, Any]) -> dict[str, Any]:
        for grant in reversed(self.grants.values()):
            if grant["target"] == args["target"] and grant["state"] == "active":
                return {
                    "target": grant["target"], "grant_id": grant["id"], "value": self.values[grant["target"]],
                    "expires_at": grant["expires_at"], "tier": "deliver", "revocability": "at once", "source": "kv",  # noqa: E501
                }  # fmt: skip
        raise Denied("grant.none", "No active grant", "", "Ask with qsec.request.")

    def op_revoke(self, args: dict[str, Any]) -> dict[str, Any]:
        return self.decide("revoked", args.get("comment"), args["id"])

    def op_cancel(self, args: dict[str, Any]) -> dict[str, Any]:
        return self.decide("cancelled", args.get("comment"), args["id"])

    def op_record(self, args: dict[str, Any]) -> dict[str, Any]:
        with self._changed:
            known = {(r["run_id"], r["kind"]) for r in self.records}
            self.records += [r for r in args["records"] if (r["run_id"], r["kind"]) not in known]
            self._changed.notify_all()
        return {
            "results": [
                {"run_id": r["run_id"], "kind": r["kind"], "statement": "0" * 64, "index": 1}
                for r in args["records"]
            ]
        }

    def op_evidence(self, args: dict[str, Any]) -> dict[str, Any]:
        data = base64.b64decode(args["data"])
        data = zlib.decompress(data) if args["encoding"] == "deflate" else data
        assert hashlib.sha256(data).hexdigest() == args["sha256"]
        with self._changed:
            self.evidence[args["sha256"]] = (args["media_type"], data)
            self._changed.notify_all()
        return {"sha256": args["sha256"], "stored": True}

    def op_hello(self, args: dict[str, Any]) -> dict[str, Any]:
        return {"kernel_id": "k", "user": {"name": "ada"}, "mode": self.mode}

    def op_submitted(self, args: dict[str, Any]) -> dict[str, Any]:
        with self._changed:
            self.jobs[args["job"]["id"]] = args["run_id"]
            self._changed.notify_all()
        return {"run_id": args["run_id"]}

    def op_job(self, args: dict[str, Any]) -> dict[str, Any]:
        if args["id"] not in self.jobs:
            raise NotFound("run.unknown_job", "No recorded run has submitted that job")
        return {"run_id": self.jobs[args["id"]]}

    def op_permit(self, args: dict[str, Any]) -> dict[str, Any]:
        self.asked.append(args["run"])
        if args["run"]["backend"]["name"] not in self.permitted:
            raise Denied("run.no_grant", "No active grant", "", "Ask.")
        return {"run_id": args["run"]["run_id"], "target": "t", "grant_id": "g", "policies": ["p"]}

    def op_untracked(self, args: dict[str, Any]) -> dict[str, Any]:
        self.untracked.append(args)
        return {"recorded": 1}

    def op_gap(self, args: dict[str, Any]) -> dict[str, Any]:
        self.gaps.append(args)
        return {"recorded": True}

    def op_runs(self, args: dict[str, Any]) -> dict[str, Any]:
        ids = list(dict.fromkeys(r["run_id"] for r in reversed(self.records)))
        return {"runs": [self.op_run({"run_id": i})["summary"] for i in ids[: args["limit"]]]}

    def op_run(self, args: dict[str, Any]) -> dict[str, Any]:
        found = {r["kind"]: r for r in self.records if r["run_id"] == args["run_id"]}
        if not found:
            raise NotFound("run.unknown", "No such run", "", "%qsec provenance shows the last one.")
        first = found["intent"]
        last = found.get("completion", {})
        return {
            "summary": {
                "run_id": args["run_id"], "operation": first["operation"], "backend": first["backend"].get("name"),  # noqa: E501
                "circuits": len(first["execution"]["circuits"]), "shots": first["execution"]["shots"],
                "status": last.get("status", "running"), "started_at": first["time"], "ended_at": last.get("time"),  # noqa: E501
                "signed_by": "a test", "gaps": [*first["gaps"], *last.get("gaps", ())], "grant_id": None,
            },
            "envelopes": {"intent": "a" * 64, "completion": "b" * 64 if last else None},
            "ledger": {"intent": 7, "completion": 8 if last else None},
        }  # fmt: skip

    def op_status(self, args: dict[str, Any]) -> dict[str, Any]:
        return {
            "principal": {"name": "ada", "display_name": "Ada", "identity_provider": "jupyter"},
            "vault": {"label": "a test's vault"},
            "health": {"status": "ok", "checks": [{"name": "vault", "ok": True, "detail": "", "remedy": ""}]},
            "grants": [],
        }

    def go_down(self) -> None:
        """Answer every call as a server does whose control plane is down."""

        def down(_: dict[str, Any]) -> dict[str, Any]:
            raise Unavailable(
                "control.down", "The control plane does not answer", "", "It restarts by itself."
            )

        for name in [n[3:] for n in dir(self) if n.startswith("op_")]:
            self.overrides[name] = down

    def come_back(self) -> None:
        self.overrides.clear()


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return condition()
