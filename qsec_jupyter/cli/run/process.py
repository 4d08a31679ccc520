"""The program that is run: its channel, its output with issued values masked, its signals and its status."""

from __future__ import annotations

import asyncio
import codecs
import os
import signal
import socket
import sys
from collections.abc import Mapping
from functools import partial
from typing import Any, BinaryIO

from ...core.errors import Invalid
from ...core.wire import FD_VARIABLE
from ...scan.masking import Masker

_FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
_CHUNK = 1 << 16
_NOT_FOUND, _NOT_EXECUTABLE = 127, 126


async def execute(
    command: list[str], channel: socket.socket, environ: Mapping[str, str], masker: Masker
) -> int:
    """Run a program to its end and return its exit status, as a shell would say it.

    Args:
        command: The program and its arguments.
        channel: Its end of the socket; closed here once it has inherited it.
        environ: Its environment; the number of the descriptor is added, and nothing secret.
        masker: Masks its output where that does not go to a terminal.

    Raises:
        Invalid: ``run.not_found`` or ``run.not_executable``.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *command,
            env={**environ, FD_VARIABLE: str(channel.fileno())},
            pass_fds=(channel.fileno(),),
            stdout=_piped(sys.stdout),
            stderr=_piped(sys.stderr),
        )
    except FileNotFoundError as error:
        raise Invalid("run.not_found", "There is no such program", f"{command[0]}.") from error
    except PermissionError as error:
        raise Invalid("run.not_executable", "That cannot be executed", f"{command[0]}.") from error
    finally:
        channel.close()
    _forward(process)
    await asyncio.gather(
        _copy(process.stdout, sys.stdout.buffer, masker), _copy(process.stderr, sys.stderr.buffer, masker)
    )
    status = await process.wait()
    return 128 - status if status < 0 else status


def _piped(stream: Any) -> int | None:
    """Give a terminal to the program as it is: it may ask its user something."""
    return None if stream.isatty() else asyncio.subprocess.PIPE


def _forward(process: asyncio.subprocess.Process) -> None:
    loop = asyncio.get_running_loop()
    for number in _FORWARDED:
        # From a terminal, Ctrl-C reaches the program by itself.
        mine = number == signal.SIGINT and os.isatty(0)
        loop.add_signal_handler(number, _ignore if mine else partial(_send, process, number))


def _ignore() -> None:
    """Leave it to the program: we end when it does."""


def _send(process: asyncio.subprocess.Process, number: int) -> None:
    if process.returncode is None:
        process.send_signal(number)


async def _copy(source: asyncio.StreamReader | None, to: BinaryIO, masker: Masker) -> None:
    """Copy output as it comes; a suffix that may begin an issued value waits for what follows it."""
    if source is None:
        return
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    held = ""
    while True:
        data = await source.read(_CHUNK)
        ready, held = masker.split(held + decoder.decode(data, final=not data))
        text = masker.redact(ready + ("" if data else held))
        to.write(text.encode("utf-8", "surrogateescape"))
        to.flush()
        if not data:
            return
