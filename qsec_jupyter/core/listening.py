"""The socket on which a process of ours waits for calls from this machine."""

from __future__ import annotations

import socket


def inherited(descriptor: int) -> socket.socket:
    """Return the listener that our parent made (:func:`listen`) and handed over."""
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=descriptor)


def listen(port: int = 0) -> socket.socket:
    """Return a listener on the loopback address.

    It is made as TCP by name. Of sockets that are not, asyncio cannot tell that they are TCP and leaves
    Nagle's algorithm on (``base_events._set_nodelay``), which holds an answer's second packet for 40 ms.

    Args:
        port: Where; 0 for any that is free.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # restart on the port one just had
        listener.bind(("127.0.0.1", port))
        listener.listen(1024)
    except BaseException:
        listener.close()
        raise
    return listener
