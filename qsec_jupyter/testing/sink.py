"""The other end of hooks under test: takes every record and gap, grants nothing, keeps the counts."""

from __future__ import annotations

import itertools
import socket
import threading
from collections import Counter
from typing import Any

from ..core.errors import Denied
from ..core.wire import Decoder, Message, encode


class Sink:
    """Answers any number of kernels, each on a socket pair and a thread of its own."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        """How many kernels were connected, and how many ``intent``, ``completion`` and ``gap`` came."""
        self.gaps: Counter[str] = Counter()
        """What could not be recorded, and how often."""
        self._index = itertools.count()
        self._open: dict[str, socket.socket] = {}

    def open(self, kernel_id: str) -> socket.socket:
        """Return the kernel's end of a fresh pair."""
        self.close(kernel_id)
        ours, theirs = socket.socketpair()
        self._open[kernel_id] = ours
        self.counts["kernel"] += 1
        threading.Thread(target=self._serve, args=(ours,), name="qsec-sink", daemon=True).start()
        return theirs

    def close(self, kernel_id: str) -> None:
        """End one kernel's socket, if it is open."""
        ours = self._open.pop(kernel_id, None)
        if ours is not None:
            ours.close()

    def _serve(self, ours: socket.socket) -> None:
        decoder = Decoder()
        try:
            while data := ours.recv(1 << 16):
                for message in decoder.feed(data):
                    ours.sendall(encode(self._answer(message)))
        except (OSError, ValueError):
            return  # the kernel has ended

    def _answer(self, message: Message) -> Message:
        args = message.get("args") or {}
        answer = self._take(str(message.get("op")), args)
        if answer is None:
            refusal = Denied("sink.records_only", "Hooks under test have no control plane behind them")
            return {"id": message.get("id"), "error": refusal.to_problem()}
        return {"id": message.get("id"), "ok": answer}

    def _take(self, op: str, args: dict[str, Any]) -> dict[str, Any] | None:
        if op == "hello":
            return {"kernel_id": "under-hooks", "user": {"name": "tester"}, "mode": "record"}
        if op == "record":
            return {"results": [self._record(record) for record in args["records"]]}
        if op == "gap":
            self._gap(str(args["what"]))
            return {"recorded": True}
        return {} if op in {"evidence", "submitted", "untracked"} else None

    def _record(self, record: dict[str, Any]) -> dict[str, Any]:
        self.counts[record["kind"]] += 1
        for gap in record.get("gaps", ()):
            self._gap(gap)
        index = next(self._index)
        return {
            "run_id": record["run_id"],
            "kind": record["kind"],
            "statement": f"{index:064x}",
            "index": index,
        }

    def _gap(self, what: str) -> None:
        self.counts["gap"] += 1
        self.gaps[what] += 1
