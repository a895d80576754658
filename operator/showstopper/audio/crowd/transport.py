"""The transport of one listener: its UDP socket, ICE on it, and the DTLS handshake over the pair that was nominated."""

from __future__ import annotations

import socket
from contextlib import suppress

from showstopper.audio.crowd import datagram_socket
from showstopper.audio.crowd.dtls import Handshake, Identity
from showstopper.audio.crowd.ice import Agent
from showstopper.audio.crowd.packets import DTLS_FIRST, DTLS_LAST, STUN_BELOW
from showstopper.audio.crowd.stun import Address

MOST_BYTES = 2048


class Transport:
    """`ready` once media can flow. Until then `receive` reads it. From then on a sweep does, and calls `take`."""

    def __init__(self, host: str, identity: Identity) -> None:
        """`host` is the address of this machine that the signalling uses.

        Raises:
            OSError: if there is no socket to be had.
        """
        self.agent = Agent()
        self.peer_fingerprint = ""
        self.socket: socket.socket = datagram_socket.open_beside(host)
        self.address: Address = datagram_socket.plain(self.socket.getsockname())
        self._identity = identity
        self._handshake: Handshake | None = None
        self._connected: Address | None = None

    @property
    def ready(self) -> bool:
        """Whether the handshake is done."""
        return self._handshake is not None and self._handshake.done

    @property
    def connected(self) -> bool:
        """Whether a pair was nominated."""
        return self._connected is not None

    @property
    def receiving_key(self) -> bytes:
        """What opens the packets of sound that the relay sends, once the transport is ready."""
        assert self._handshake is not None
        return self._handshake.receiving_key()

    def receive(self) -> None:
        """Read what has come, until the transport is ready.

        Raises:
            HandshakeFailed: if DTLS cannot be completed.
        """
        while not self.ready:
            try:
                data, sender = self.socket.recvfrom(MOST_BYTES)
            except OSError:  # nothing more, or the answer to a check that reached no one
                return
            self.take(data, datagram_socket.plain(sender))

    def take(self, data: bytes, sender: Address) -> None:
        """Take a datagram of STUN or DTLS. Anything else is nobody's.

        Raises:
            HandshakeFailed: if DTLS cannot be completed.
        """
        if not data:
            return
        if data[0] < STUN_BELOW:
            for reply in self.agent.take(data, sender):
                self.send(reply, sender)
            if self.agent.selected is not None and self.agent.selected != self._connected:
                self._use(self.agent.selected)
        elif DTLS_FIRST <= data[0] <= DTLS_LAST and self._handshake is not None and not self._handshake.done:
            self._send_all(self._handshake.step(data))

    def send(self, data: bytes, address: Address) -> None:
        """Send a datagram. One that is not taken is lost, as on the way: checks come again."""
        with suppress(OSError):
            if self._connected == address:
                self.socket.send(data)
            else:
                self.socket.sendto(data, address)

    def restarted(self) -> None:
        """ICE has begun afresh: the relay may now check from another port. DTLS lives on (RFC 8842, 4.1)."""
        if self._connected is not None:
            with suppress(OSError):  # then another port stays unheard, and the listener joins afresh
                datagram_socket.hear_everybody(self.socket)
            self._connected = None

    def insist(self) -> None:
        """Send again what may have been lost, while the transport is not ready.

        Raises:
            HandshakeFailed: if DTLS was tried too often.
        """
        if self._handshake is not None:
            self._send_all(self._handshake.late())
            return
        for address in self.agent.candidates:
            for check in self.agent.checks():
                self.send(check, address)

    def consent(self) -> None:
        """Ask whether the other side still wants to send (RFC 7675), as every client does."""
        if self._connected is not None:
            for check in self.agent.checks():
                self.send(check, self._connected)

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def _use(self, address: Address) -> None:
        """Hear only that address from now on, and secure the way to it."""
        with suppress(OSError):  # no way there: nothing will come, and the join or the session times out
            self.socket.connect(address)
            self._connected = address
        if self._handshake is None:
            self._handshake = Handshake(self._identity, self.peer_fingerprint)
            self._send_all(self._handshake.step())

    def _send_all(self, flight: list[bytes]) -> None:
        if self._connected is not None:
            for datagram in flight:
                self.send(datagram, self._connected)
