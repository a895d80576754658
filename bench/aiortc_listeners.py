"""Listeners of aiortc whose decoders do nothing, in an environment of their own: for bench/crowd.py.

Reads one line of JSON, {"url", "tokens", "seconds"}, and prints one: what a listener takes of a core, in percent, what
it received a second, and what a join cost. It imports nothing of the project, whose locked packages have no aiortc.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from typing import Any

import aiohttp
import aiortc.rtcrtpreceiver
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.sdp import candidate_from_sdp
from livekit.protocol import rtc

JOIN_SECONDS = 15.0
SETTLE_SECONDS = 2.0
CLIENT = "auto_subscribe=1&sdk=python&version=1.1.13&protocol=17"


class _Nothing:
    """A decoder of no sound: the others do not decode either."""

    def decode(self, _frame: Any) -> list[Any]:
        return []


class Listener:
    """One session."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._session = session
        self._connected = asyncio.Event()
        self.peer.on("connectionstatechange", self._changed)

    async def join(self, url: str, token: str) -> asyncio.Task[None]:
        """Join. Returns the task that reads its signalling."""
        signalling = await self._session.ws_connect(f"{url}/rtc?access_token={token}&{CLIENT}")
        reading = asyncio.create_task(self._read(signalling))
        await asyncio.wait_for(self._connected.wait(), JOIN_SECONDS)
        return reading

    async def received(self) -> int:
        """Packets that came so far."""
        reports = (await self.peer.getStats()).values()
        return sum(report.packetsReceived for report in reports if report.type == "inbound-rtp")

    def _changed(self) -> None:
        if self.peer.connectionState == "connected":
            self._connected.set()

    async def _read(self, signalling: aiohttp.ClientWebSocketResponse) -> None:
        async for message in signalling:
            response = rtc.SignalResponse.FromString(message.data)
            if response.HasField("offer"):
                # aiortc never starts a section that is offered while it still connects: it would hear nothing for ever.
                if self.peer.remoteDescription is not None:
                    await asyncio.wait_for(self._connected.wait(), JOIN_SECONDS)
                await signalling.send_bytes(await self._answer(response.offer))
            elif response.HasField("trickle"):
                await self._candidate(json.loads(response.trickle.candidateInit))

    async def _answer(self, offer: rtc.SessionDescription) -> bytes:
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp=offer.sdp, type="offer"))
        await self.peer.setLocalDescription(await self.peer.createAnswer())
        answer = rtc.SessionDescription(type="answer", sdp=self.peer.localDescription.sdp, id=offer.id)
        return bytes(rtc.SignalRequest(answer=answer).SerializeToString())

    async def _candidate(self, init: dict[str, Any]) -> None:
        candidate = candidate_from_sdp(init["candidate"].removeprefix("candidate:"))
        candidate.sdpMid, candidate.sdpMLineIndex = init["sdpMid"], init["sdpMLineIndex"]
        await self.peer.addIceCandidate(candidate)


def cpu_seconds() -> float:
    """What this process has used."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


async def measure(url: str, tokens: list[str], seconds: float) -> dict[str, float]:
    """Join one after the other, and listen for so long."""
    aiortc.rtcrtpreceiver.get_decoder = lambda _codec: _Nothing()
    async with aiohttp.ClientSession() as session:
        listeners = [Listener(session) for _ in tokens]
        before = cpu_seconds()
        reading = [await listener.join(url, token) for listener, token in zip(listeners, tokens, strict=True)]
        joins = cpu_seconds() - before
        await asyncio.sleep(SETTLE_SECONDS)
        packets = sum([await listener.received() for listener in listeners])
        cpu, began = cpu_seconds(), time.monotonic()
        await asyncio.sleep(seconds)
        cpu, lasted = cpu_seconds() - cpu, time.monotonic() - began
        packets = sum([await listener.received() for listener in listeners]) - packets
        for task in reading:
            task.cancel()
        for listener in listeners:
            await listener.peer.close()
    count = len(tokens)
    return {
        "cpu_percent_each": cpu / lasted / count * 100,
        "packets_per_second_each": packets / lasted / count,
        "own_ms_per_join": joins / count * 1e3,
    }


if __name__ == "__main__":
    asked = json.loads(sys.stdin.readline())
    print(json.dumps(asyncio.run(measure(asked["url"], asked["tokens"], asked["seconds"]))))
