"""Listener pods on loopback with the real ring, whose listeners hear something new whenever a test says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from showstopper.audio.spans import Entry, Ring, Visit, span_document, visit_document
from showstopper.availability.spans import Kind, Span, State
from showstopper.cluster.client import Client
from showstopper.cluster.kinds import POD
from showstopper.cluster.listeners import LISTENER, ROLE_LABEL, ROOM_LABEL
from tests.engine.rooms.storing import make_pod

ROOM = "main-stage"


class Listeners:
    """One pod with one listener. `told`: every span that it ever closed, by boot."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.boots = 0
        self.told: list[tuple[str, str, float, float]] = []
        self.asked: list[int] = []
        self.restart()

    def restart(self) -> None:
        """Begin a new life: a new boot, a clock and numbers from the beginning."""
        self.boots += 1
        self.boot = f"{self.name}-boot-{self.boots}"
        self.ring = Ring[Entry]()
        self.clock = 0.0

    def hear(self, count: int = 1) -> None:
        """Close so many spans of a second, and a visit with each."""
        for _ in range(count):
            state = State.HOLD if self.clock % 2 else State.LIVE
            span = Span(f"{self.name}/0", Kind.RESIDENT, state, self.clock, self.clock + 1)
            visitor = f"{self.name}/a{self.clock:.0f}"
            visit = Visit(visitor, self.clock, self.clock, None, None, self.clock + 0.5, "")
            self.ring.add([span, visit], self.clock)
            self.told.append((self.boot, state.value, span.start, span.end))
            self.clock += 1

    def document(self, after: int) -> dict[str, Any]:
        """The feed."""
        page = self.ring.after(after)
        going = Span(f"{self.name}/0", Kind.RESIDENT, State.LIVE, self.clock, self.clock + 0.4)
        return {
            "boot": self.boot,
            "room": ROOM,
            "pod": self.name,
            "clock": {"monotonic": self.clock + 0.5, "wall": 1.0},
            "next": page.next,
            "lost": page.lost,
            "spans": [span_document(span, number) for number, span in page.entries if isinstance(span, Span)],
            "arrivals": [visit_document(visit, number) for number, visit in page.entries if isinstance(visit, Visit)],
            "open": [span_document(going)],
            "listeners": [],
        }


class ListenerPods:
    """Pods by their address, behind one port."""

    def __init__(self) -> None:
        self.pods: dict[str, Any] = {}
        self.port = 0

    async def answer(self, request: web.Request) -> web.Response:
        """`GET /v1/spans` of listeners, `GET /v1/crowd` of crowds."""
        pod = self.pods.get(request.url.host or "")
        if pod is None:
            return web.Response(status=503)
        after = int(request.query["after"])
        pod.asked.append(after)
        return web.json_response(pod.document(after))

    async def join(self, client: Client, *names: str) -> list[Listeners]:
        """Store pods of these names, and answer at their addresses."""
        made = []
        for name in names:
            address = f"127.0.1.{len(self.pods) + 1}"
            made.append(Listeners(name))
            self.pods[address] = made[-1]
            await make_pod(client, name, {ROOM_LABEL: ROOM, ROLE_LABEL: LISTENER}, address)
        return made


@asynccontextmanager
async def on_loopback() -> AsyncIterator[ListenerPods]:
    """Pods that answer for the time of the block."""
    pods = ListenerPods()
    app = web.Application()
    app.router.add_get("/v1/{feed:spans|crowd}", pods.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "0.0.0.0", 0).start()
    pods.port = runner.addresses[0][1]
    try:
        yield pods
    finally:
        await runner.cleanup()


async def leave(client: Client, *names: str) -> None:
    """Delete the stored pods."""
    for name in names:
        await client.delete(POD, "show", name, grace_seconds=0)
