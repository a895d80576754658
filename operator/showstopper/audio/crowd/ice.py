"""ICE for one socket and one component: answers checks, and follows the pair that is nominated (RFC 8445).

LiveKit is a full agent that offers, and so it controls: it checks our candidate and nominates. Where it says that it is
a lite one, we control. No I/O and no clock: datagrams in, datagrams out.
"""

from __future__ import annotations

import os
import secrets
from collections import deque
from dataclasses import dataclass
from typing import Self

from showstopper.audio.crowd import stun
from showstopper.audio.crowd.stun import Address

MOST_CANDIDATES = 32
_OPEN_CHECKS = 2 * MOST_CANDIDATES


@dataclass(frozen=True, slots=True)
class Credentials:
    """What one side signs its checks with."""

    ufrag: str
    password: str

    @classmethod
    def fresh(cls) -> Self:
        """New ones: 32 and 128 random bits (RFC 8445, 5.3, asks for 24 and 128)."""
        return cls(secrets.token_hex(4), secrets.token_hex(16))


class Agent:
    """One listener's side. `selected` is the address of the pair in use, once there is one."""

    def __init__(self) -> None:
        self.own = Credentials.fresh()
        self.selected: Address | None = None
        self.candidates: list[Address] = []
        self._peer: Credentials | None = None
        self._controlling = False
        self._tie_breaker = int.from_bytes(os.urandom(8), "big")
        self._asked: deque[bytes] = deque(maxlen=_OPEN_CHECKS)

    def describe(self, peer: Credentials, *, lite: bool) -> bool:
        """Take what an offer says of the other side. Returns whether it begins ICE, or begins it afresh (a restart)."""
        if peer == self._peer:
            return False
        if self._peer is not None:
            self.own = Credentials.fresh()
            self.selected = None
            self.candidates.clear()
        self._peer, self._controlling = peer, lite
        return True

    def add(self, address: Address) -> list[bytes]:
        """Take a candidate of the other side. Returns the check to be sent there, if it is for us to begin."""
        if address in self.candidates or len(self.candidates) >= MOST_CANDIDATES:
            return []
        self.candidates.append(address)
        return self.checks() if self._controlling and self.selected is None else []

    def checks(self) -> list[bytes]:
        """A check of our own, with a new transaction. None before there is somebody to check."""
        if self._peer is None:
            return []
        username, key = f"{self._peer.ufrag}:{self.own.ufrag}", self._peer.password.encode()
        check = stun.request(username, key, self._tie_breaker, controlling=self._controlling)
        self._asked.append(check[8:20])
        return [check]

    def take(self, datagram: bytes, sender: Address) -> list[bytes]:
        """Take a datagram. Returns what is to be sent back: nothing to whoever does not know the password."""
        if self.selected is not None and stun.is_answer(datagram):
            return []  # it selects nothing any more: that it came is sign of life enough
        message = stun.read(datagram)
        if message is None:
            return []
        if message.kind == stun.REQUEST:
            return self._checked(message, sender)
        if message.kind == stun.RESPONSE:
            self._answered(message, sender)
        return []

    def _checked(self, message: stun.Message, sender: Address) -> list[bytes]:
        key = self.own.password.encode()
        if not message.is_sealed_with(key):
            return []
        mapped = stun.mapped_address(sender, message.transaction)
        replies = [stun.response(message.transaction, mapped, key)]
        if self._controlling:
            return replies
        if stun.USE_CANDIDATE in message.attributes:
            self.selected = sender
        elif self.selected is None:
            # Behind a check of ours LiveKit nominates at once instead of with its next tick, 0.2 s later.
            replies += self.checks()
        return replies

    def _answered(self, message: stun.Message, sender: Address) -> None:
        if not self._controlling or self.selected is not None or message.transaction not in self._asked:
            return
        if self._peer is not None and message.is_sealed_with(self._peer.password.encode()):
            self.selected = sender
