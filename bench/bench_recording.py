"""Runs recorded against bare runs: what the caller waits, what other threads wait, what stays in memory.

Calls with and without us alternate one by one, in record mode, with the other end of the socket in a process
of its own. A run is timed from the call to its result; the median is what a user waits, and the row of means
tells what is done beside it, too. Each row starts in a fresh interpreter.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

_BIG = 50_000
_STALLS = 7


def run() -> list[dict[str, Any]]:
    """Return all rows of this module, each measured in a process of its own."""
    return [row for name in ROWS for row in _apart(name)]


def _apart(name: str) -> list[dict[str, Any]]:
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--row", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _row(name: str, value: float, unit: str, target: str, ok: bool) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": unit, "target": target, "ok": ok}


class _Recording:
    """Hooks in this process, and a peer in another."""

    def __init__(self) -> None:
        from qsec_jupyter.kernel import channel, execution, extension

        ours, theirs = socket.socketpair()
        command = [sys.executable, __file__, "--peer", str(theirs.fileno())]
        self._peer = subprocess.Popen(command, pass_fds=(theirs.fileno(),))
        theirs.close()
        self._channel = channel.mine = channel.Channel(ours)
        cell = {"metadata": {"cellId": "c"}, "content": {"code": "run()"}}
        execution.start(channel.mine, types.SimpleNamespace(execution_count=1, get_parent=lambda: cell))
        extension.watch()

    def __enter__(self) -> _Recording:
        return self

    def __exit__(self, *_: object) -> None:
        self.flush()
        from qsec_jupyter.kernel import execution

        assert execution.recorder is not None
        assert execution.recorder.gaps == 0, execution.recorder.last_gap
        self._channel.close()
        self._peer.wait(10)

    def flush(self) -> None:
        from qsec_jupyter.kernel import execution

        execution.stop(60)


def _bell() -> Any:
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure_all()
    return circuit


def _layers(qubits: int, gates: int) -> Any:
    """Return a circuit of Hadamards and neighbouring CNOTs, which Aer runs fast: hard on a ratio."""
    from qiskit import QuantumCircuit

    circuit = QuantumCircuit(qubits)
    for i in range(gates):
        if i % 2:
            circuit.cx(i % qubits, (i + 1) % qubits)
        else:
            circuit.h(i % qubits)
    circuit.measure_all()
    return circuit


def _turns(given: Any, count: int, shots: int) -> tuple[list[float], list[float]]:
    """Time ``AerSimulator.run(...).result()`` hooked and bare, in turn."""
    from qiskit_aer import AerSimulator

    backend = AerSimulator()
    hooked = AerSimulator.run
    bare = hooked.__wrapped__
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(-20, count):
        for which in (0, 1) if turn % 2 else (1, 0):
            began = time.perf_counter()
            (hooked, bare)[which](backend, given, shots=shots).result()
            if turn >= 0:
                times[which].append(time.perf_counter() - began)
    return times


def bell() -> list[dict[str, Any]]:
    """Time single Bell runs."""
    with _Recording() as recording:
        import qiskit_aer  # noqa: F401  # hooks go on at import

        hooked, bare = _turns(_bell(), 1000, 1024)
        recording.flush()
    floor = statistics.median(bare) * 1000
    median = statistics.median(hooked) * 1000 - floor
    mean = (statistics.fmean(hooked) - statistics.fmean(bare)) * 1000
    return [
        _row(
            f"Aer Bell run+result, added to {floor:.2f} ms, median", median, "ms", "<= 0.15", median <= 0.15
        ),
        _row("the same in the mean, with what is done beside it", mean, "ms", "<= 0.6", mean <= 0.6),
    ]


def large() -> list[dict[str, Any]]:
    """Time a circuit of 27 qubits and 500 gates."""
    with _Recording():
        import qiskit_aer  # noqa: F401

        hooked, bare = _turns(_layers(27, 500), 60, 1024)
    ratio = statistics.median(hooked) / statistics.median(bare)
    name = f"27 qubits, 500 gates ({statistics.median(bare) * 1000:.1f} ms)"
    return [_row(name, ratio, "x", "<= 1.05", ratio <= 1.05)]


def hundred() -> list[dict[str, Any]]:
    """Time a hundred circuits in one call."""
    with _Recording():
        import qiskit_aer  # noqa: F401

        hooked, bare = _turns([_bell() for _ in range(100)], 40, 1024)
    ratio = statistics.median(hooked) / statistics.median(bare)
    name = f"100 circuits in one call ({statistics.median(bare) * 1000:.1f} ms)"
    return [_row(name, ratio, "x", "<= 1.05", ratio <= 1.05)]


def stall() -> list[dict[str, Any]]:
    """Measure how long another thread waits for the interpreter while 50,000 gates are recorded.

    The backend does nothing, so that only our work is seen. The best of several turns counts: other processes
    on a shared machine add milliseconds to a wait, with work and without, and never take any away.
    """
    with _Recording() as recording:
        backend = _Idle()
        circuit = _layers(127, _BIG)
        ticker = _Ticker()
        ours, idle = [], []
        for _ in range(_STALLS):
            ours.append(ticker.worst(lambda: (backend.run(circuit), recording.flush())))
            idle.append(ticker.worst(lambda: time.sleep(0.5)))
        ticker.stop()
    value = min(ours)
    about = f"50,000 gates, longest wait of another thread ({min(idle):.1f} when idle)"
    return [_row(about, value, "ms", "<= 5", value <= 5)]


def _Idle() -> Any:  # noqa: N802  # a class that can be made only once qiskit is imported
    from concurrent.futures import Future

    from qiskit.providers import BackendV2, Options

    class Idle(BackendV2):
        target = None
        max_circuits = None

        @classmethod
        def _default_options(cls) -> Any:
            return Options()

        def run(self, run_input: Any, **options: Any) -> Any:
            done: Future[Any] = Future()
            done.set_result(types.SimpleNamespace(results=[], success=True))
            return types.SimpleNamespace(_future=done)

    return Idle(name="idle")


class _Ticker:
    """A thread that wants to run twice a millisecond, and notes how long it could not."""

    def __init__(self) -> None:
        self._worst = 0.0
        self._going = True
        threading.Thread(target=self._tick, daemon=True).start()

    def _tick(self) -> None:
        last = time.perf_counter()
        while self._going:
            time.sleep(0.0005)
            now = time.perf_counter()
            self._worst = max(self._worst, now - last)
            last = now

    def worst(self, work: Callable[[], object]) -> float:
        """Return the longest wait during ``work`` (milliseconds)."""
        time.sleep(0.01)
        self._worst = 0.0
        work()
        return self._worst * 1000

    def stop(self) -> None:
        self._going = False


def hooks() -> list[dict[str, Any]]:
    """Time what the hooks cost a kernel without frameworks: putting them on, and 500 imports."""
    code = (
        "import ipykernel.kernelapp, importlib, sys, time\n"
        "from qsec_jupyter.kernel import extension\n"
        "names = [f'no_such_module_{i}' for i in range(500)]\n"
        "def all():\n"
        "    began = time.perf_counter()\n"
        "    for name in names: importlib.util.find_spec(name)\n"
        "    return time.perf_counter() - began\n"
        "all(); before = min(all() for _ in range(5))\n"
        "began = time.perf_counter(); extension.watch(); put = time.perf_counter() - began\n"
        "assert 'qiskit' not in sys.modules\n"
        "print(put + min(all() for _ in range(5)) - before)\n"
    )
    times = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
        for _ in range(7)
    ]
    value = statistics.median(times) * 1000
    return [_row("Import hooks in a kernel without frameworks", value, "ms", "<= 2", value <= 2)]


def memory() -> list[dict[str, Any]]:
    """Measure what recorded runs leave behind, after as many bare ones."""
    import psutil

    def resident(call: Callable[..., Any], count: int) -> float:
        backend, circuit = AerSimulator(), _bell()
        before = psutil.Process().memory_info().rss
        for _ in range(count):
            call(backend, circuit, shots=10).result()
        recording.flush()
        return float(psutil.Process().memory_info().rss - before) / 1e6

    with _Recording() as recording:
        from qiskit_aer import AerSimulator

        hooked = AerSimulator.run
        resident(hooked.__wrapped__, 2000)
        first = resident(hooked, 2000)
        more = resident(hooked, 2000)
    return [
        _row("Resident memory: 2,000 recorded runs", first, "MB", "<= 20", first <= 20),
        _row("Resident memory: 2,000 more", more, "MB", "<= 2", more <= 2),
    ]


ROWS: dict[str, Callable[[], list[dict[str, Any]]]] = {
    function.__name__: function for function in (bell, large, hundred, stall, hooks, memory)
}


def _answer(descriptor: int) -> None:
    """Be the other side of a socket."""
    from qsec_jupyter.core.wire import Decoder, encode

    decoder = Decoder()
    with socket.socket(fileno=descriptor) as sock:
        while data := sock.recv(1 << 16):
            for message in decoder.feed(data):
                records = message["args"].get("records", ())
                results = [
                    {"run_id": r["run_id"], "kind": r["kind"], "statement": "", "index": 0} for r in records
                ]
                sock.sendall(encode({"id": message["id"], "ok": {"results": results, "mode": "record"}}))


def main(argv: list[str]) -> int:
    """Measure one row, or be a peer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--row", choices=sorted(ROWS))
    parser.add_argument("--peer", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    sys.path.insert(0, str(Path(__file__).parent.parent))
    if args.peer is not None:
        _answer(args.peer)
    else:
        print(json.dumps(ROWS[args.row]()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
