"""Connections to a server, over TCP and TLS, that block nobody."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
from typing import Any

from showstopper.audio.crowd.resolver import SocketAddress


async def connect(addresses: list[SocketAddress]) -> socket.socket:
    """A connection to the first place that takes one. Raises OSError: what the first of them said."""
    errors: list[OSError] = []
    for family, address in addresses:
        connecting = socket.socket(family, socket.SOCK_STREAM)
        try:
            connecting.setblocking(False)
            connecting.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await _connected(connecting, address)
        except OSError as error:
            connecting.close()
            errors.append(error)
        except BaseException:
            connecting.close()
            raise
        else:
            return connecting
    raise errors[0] if errors else OSError("the host has no address")


def wrap(connected: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """The connection for TLS with that host. Its handshake is still to come."""
    return context.wrap_socket(
        connected, server_hostname=host, do_handshake_on_connect=False, suppress_ragged_eofs=True
    )


async def secure(connecting: ssl.SSLSocket) -> None:
    """Make the handshake. Raises OSError, and with it what the certificate lacks."""
    while True:
        try:
            connecting.do_handshake()
        except ssl.SSLWantReadError:
            await ready(connecting)
        except ssl.SSLWantWriteError:
            await ready(connecting, writes=True)
        else:
            return


async def _connected(connecting: socket.socket, address: tuple[Any, ...]) -> None:
    """Connect. Raises OSError. The loop's own way would first parse again an address that has been resolved."""
    number = connecting.connect_ex(address)
    if number == errno.EINPROGRESS:
        await ready(connecting, reads=False, writes=True)
        number = connecting.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    if number:
        raise OSError(number, os.strerror(number))


async def ready(waiting: socket.socket, *, reads: bool = True, writes: bool = False) -> None:
    """Wait until it can be read, or written: whichever of the two is asked for and comes first."""
    loop = asyncio.get_running_loop()
    can: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not can.done():
            can.set_result(None)

    descriptor = waiting.fileno()
    if reads:
        loop.add_reader(descriptor, tell)
    if writes:
        loop.add_writer(descriptor, tell)
    try:
        await can
    finally:
        if reads:
            loop.remove_reader(descriptor)
        if writes:
            loop.remove_writer(descriptor)
