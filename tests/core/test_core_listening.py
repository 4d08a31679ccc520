"""The listener: answers on it are not held back, and it is on this machine only."""

import asyncio
import socket

from qsec_jupyter.core.listening import listen


def test_accepted_connections_send_at_once():
    async def accepted():
        found = asyncio.get_running_loop().create_future()
        server = await asyncio.start_server(lambda _, writer: found.set_result(writer), sock=listen())
        address = server.sockets[0].getsockname()
        assert address[0] == "127.0.0.1"
        _, client = await asyncio.open_connection(*address)
        writer = await found
        try:
            return writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        finally:
            for each in (client, writer):
                each.close()
                await each.wait_closed()
            server.close()

    assert asyncio.run(accepted())
