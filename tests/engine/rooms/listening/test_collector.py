"""Collector: what it reads from listener pods, and that no pod's trouble is another's.

A small real HTTP server on loopback stands for the listener pods: what matters here is how their answers are asked for
and read, through real sockets (silence, refusals, restarts), and real pods need a cluster and LiveKit; those are heard
in e2e. Each pod has an address of its own, as in a cluster.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from showstopper.availability.hosts import HostLog
from showstopper.availability.spans import Kind, Span, State, Window
from showstopper.availability.timeline import Timeline
from showstopper.clock import Clock
from showstopper.cluster import listeners
from showstopper.engine.rooms.listening.collector import Collector, CrowdCollector, HostCollector
from showstopper.engine.rooms.listening.roster import ListenerPod
from tests.availability.build import document

PATIENCE = 20.0


class Pods:
    """Listener pods on loopback addresses; each answers by a function of `after`."""

    def __init__(self) -> None:
        self.asked: dict[str, list[int]] = {}
        self.answers: dict[str, Callable[[int], Any]] = {}
        self.port = 0

    async def answer(self, request: web.Request) -> web.StreamResponse:
        address = request.url.host or ""
        after = int(request.query.get("after", 0))
        self.asked.setdefault(address, []).append(after)
        reply = self.answers[address](after)
        if asyncio.iscoroutine(reply):
            reply = await reply
        return reply if isinstance(reply, web.StreamResponse) else web.json_response(reply)


@asynccontextmanager
async def listener_pods(**answers: Callable[[int], Any]) -> AsyncIterator[tuple[Pods, list[ListenerPod]]]:
    """Serve pods of these names, at 127.0.0.1, 127.0.0.2 and so on."""
    pods = Pods()
    app = web.Application()
    app.router.add_get("/v1/spans", pods.answer)
    app.router.add_get("/v1/crowd", pods.answer)
    app.router.add_get("/v1/host", pods.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "0.0.0.0", 0)
    await site.start()
    pods.port = runner.addresses[0][1]
    there = []
    for number, (name, answer) in enumerate(answers.items(), start=1):
        address = f"127.0.0.{number}"
        pods.answers[address] = answer
        there.append(ListenerPod(name, address, "v", "", "main-stage"))
    try:
        yield pods, there
    finally:
        await runner.cleanup()


@asynccontextmanager
async def collecting(pods: Pods) -> AsyncIterator[Collector]:
    async with listeners.session() as session:
        yield Collector("main-stage", Timeline(), Clock(), session, port=pods.port)


def answer(pod: str, **fields: Any) -> dict[str, Any]:
    still = [Span(f"{pod}/0", Kind.RESIDENT, State.LIVE, 90.0, 99.9)]
    return document([], still, pod=pod, **{"boot": f"boot-of-{pod}", **fields})


async def until(holds: Callable[[], bool], what: str) -> None:
    """Wait for a state, with a generous deadline."""
    try:
        async with asyncio.timeout(PATIENCE):
            while not holds():
                await asyncio.sleep(0.005)
    except TimeoutError:
        pytest.fail(f"never came: {what}")


async def ask_once(collector: Collector, there: list[ListenerPod]) -> None:
    """Ask all pods, and wait for those that answer within a good second or end otherwise."""
    collector.ask_all(there, lambda: None)
    await until(lambda: not collector._asking, "an end of all questions")


async def test_all_pods_are_asked_and_what_they_heard_is_known() -> None:
    replies = {name: lambda _, name=name: answer(name) for name in "ab"}
    async with listener_pods(**replies) as (pods, there), collecting(pods) as collector:
        await ask_once(collector, there)
        assert set(collector._known.current()) == {"a/0", "b/0"}
        assert set(collector.answered) == {"a", "b"}
        assert collector.problems == {}


async def test_it_goes_on_where_it_was() -> None:
    closed = [Span("a/0", Kind.RESIDENT, State.LIVE, 80.0, 90.0)]
    reply = document(closed, [], pod="a", first=41)
    async with listener_pods(a=lambda _: reply) as (pods, there), collecting(pods) as collector:
        await ask_once(collector, there)
        await ask_once(collector, there)
        assert pods.asked["127.0.0.1"] == [0, 41]


async def test_a_restarted_pod_is_asked_again_from_its_beginning() -> None:
    first = document([Span("a/0", Kind.RESIDENT, State.LIVE, 80.0, 90.0)], [], pod="a", first=41, boot="old")
    again = document([Span("a/0", Kind.RESIDENT, State.HOLD, 1.0, 2.0)], [], pod="a", first=1, boot="new", clock=3.0)
    replies = iter([first, again, again])
    async with listener_pods(a=lambda _: next(replies)) as (pods, there), collecting(pods) as collector:
        await ask_once(collector, there)
        await ask_once(collector, there)
        assert pods.asked["127.0.0.1"] == [0, 41, 0]
        assert collector._known.boot("a") == "new"


def refused(_: int) -> web.Response:
    return web.Response(status=503)


def no_json(_: int) -> web.Response:
    return web.Response(text="<html>")


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        (refused, "has HTTP status 503"),
        (no_json, "is no JSON"),
        (lambda _: ["a list"], "span feed: the document: is a list, not an object"),
        (lambda _: {**answer("a"), "spans": None}, "spans: is missing, not a list"),
        (lambda _: {**answer("a"), "clock": {"monotonic": "noon"}}, "clock.monotonic"),
        (lambda _: answer("b"), 'are "b" and "main-stage", not "a" and "main-stage"'),
        (lambda _: {**answer("a"), "room": "other"}, 'are "a" and "other"'),
    ],
)
async def test_a_pod_that_says_nonsense_is_a_problem_and_hinders_no_other(
    reply: Callable[[int], Any], problem: str
) -> None:
    async with listener_pods(a=reply, b=lambda _: answer("b")) as (pods, there), collecting(pods) as collector:
        await ask_once(collector, there)
        assert problem in collector.problems["a"]
        assert set(collector.answered) == {"b"}
        assert set(collector._known.current()) == {"b/0"}


async def test_a_pod_without_an_address_yet_is_not_asked_and_no_problem() -> None:
    async with listener_pods(a=lambda _: answer("a")) as (pods, there), collecting(pods) as collector:
        nowhere = ListenerPod("b", None, "v", "", "main-stage")
        await ask_once(collector, [*there, nowhere])
        assert set(collector.answered) == {"a"}
        assert collector.problems == {}


async def test_a_pod_that_refuses_connections_is_a_problem_until_it_answers_again() -> None:
    async with listener_pods(a=lambda _: answer("a")) as (pods, there), collecting(pods) as collector:
        good, collector._port = collector._port, 1
        await ask_once(collector, there)
        assert "does not answer" in collector.problems["a"]
        collector._port = good
        await ask_once(collector, there)
        assert collector.problems == {}


async def test_a_pod_that_does_not_answer_holds_up_no_other_and_is_asked_once_at_a_time() -> None:
    release = asyncio.Event()

    async def slowly() -> dict[str, Any]:
        await release.wait()
        return answer("a")

    replies = {"a": lambda _: slowly(), "b": lambda _: answer("b")}
    async with listener_pods(**replies) as (pods, there), collecting(pods) as collector:
        heard: list[float] = []
        running = asyncio.create_task(collector.run(lambda: there, lambda: heard.append(1)))
        await until(lambda: len(pods.asked.get("127.0.0.2", [])) >= 3, "three questions to the good pod")
        assert len(pods.asked["127.0.0.1"]) < len(pods.asked["127.0.0.2"])
        await until(lambda: "a" in collector.problems, "the problem of the silent pod")
        release.set()
        await until(lambda: "a" in collector.answered, "its answer")
        assert heard
        running.cancel()
        await asyncio.wait([running])


async def test_what_was_known_of_a_pod_that_is_gone_is_forgotten() -> None:
    async with listener_pods(a=refused, b=lambda _: answer("b")) as (pods, there), collecting(pods) as collector:
        await ask_once(collector, there)
        await ask_once(collector, [])
        assert not collector.problems
        assert not collector.answered


async def test_an_answer_without_an_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "LARGEST_ANSWER", 1000)
    large = web.Response(text=" " * 5000)
    async with listener_pods(a=lambda _: large) as (pods, there), collecting(pods) as collector:
        await ask_once(collector, there)
        assert "is larger than 1000 bytes" in collector.problems["a"]


def crowd(pod: str, *changes: tuple[int, float, str], first: int = 1, **fields: Any) -> dict[str, Any]:
    """What a crowd of two says, which has settled everything up to 95 s of its clock."""
    told = [{"slot": slot, "at": at, "state": state} for slot, at, state in changes]
    return {
        "boot": f"boot-of-{pod}",
        "room": "main-stage",
        "pod": pod,
        "clock": {"monotonic": 100.0, "wall": 100.0},
        "size": 2,
        "settledUntil": 95.0,
        "next": first + len(told) - 1,
        "lost": 0,
        "changes": told,
        "newest": [],
        "refusals": {"Unavailable": 3},
        "instrument": {"kernelDrops": 0, "stalls": []},
        **fields,
    }


@asynccontextmanager
async def collecting_crowd(pods: Pods) -> AsyncIterator[CrowdCollector]:
    async with listeners.session() as session:
        yield CrowdCollector("main-stage", Timeline(), Clock(), session, port=pods.port)


async def test_a_crowd_is_asked_as_listeners_are_and_known_as_far_as_it_is_settled() -> None:
    replies = iter([crowd("c", (0, 80.0, "Live"), (1, 80.0, "Live")), crowd("c", (1, 94.0, "NoMedia"), first=3)])
    async with listener_pods(c=lambda _: next(replies)) as (pods, there), collecting_crowd(pods) as collector:
        await ask_once(collector, there)
        await ask_once(collector, there)
        assert pods.asked["127.0.0.1"] == [0, 2]
        known, seen = collector._known.known_until({"c"}), collector._known.seen_until()
        assert known is not None
        assert seen is not None
        assert seen - known == pytest.approx(5.0)
        first, second = collector._known.view(Window(known - 5, known), ["c/0", "c/1"]).residents
        assert [(span.state, round(span.seconds, 6)) for span in first.spans] == [(State.LIVE, 5.0)]
        assert [(span.state, round(span.seconds, 6)) for span in second.spans] == [
            (State.LIVE, 4.0),
            (State.NO_MEDIA, 1.0),
        ]


async def test_a_restarted_crowd_is_asked_again_from_its_beginning() -> None:
    new = crowd(
        "c", (0, 90.0, "Joining"), (0, 92.0, "Live"), boot="new", newest=[{"slot": 0, "at": 92.0, "state": "Live"}]
    )
    replies = iter([crowd("c", (0, 80.0, "Live"), first=40), new | {"changes": new["changes"][1:], "newest": []}, new])
    async with listener_pods(c=lambda _: next(replies)) as (pods, there), collecting_crowd(pods) as collector:
        await ask_once(collector, there)
        await ask_once(collector, there)
        assert pods.asked["127.0.0.1"] == [0, 40, 0]
        assert collector._known.boot("c") == "new"
        assert {span.state for span in collector._known.current().values()} == {State.LIVE, State.UNKNOWN}


async def test_of_a_crowd_pod_that_is_gone_nothing_is_kept() -> None:
    async with listener_pods(c=lambda _: crowd("c")) as (pods, there), collecting_crowd(pods) as collector:
        await ask_once(collector, there)
        assert collector.refusals({"c"}) == {"Unavailable": 3}
        collector.ask_all([], lambda: None)
        assert collector.refusals({"c"}) == {}


async def test_what_is_no_crowd_of_the_room_is_a_problem() -> None:
    async with (
        listener_pods(c=lambda _: crowd("c", room="other")) as (pods, there),
        collecting_crowd(pods) as collector,
    ):
        await ask_once(collector, there)
        assert collector.problems["c"] == 'span feed: room: is "other", not "main-stage"'
        assert collector._known.seen_until() is None


async def test_a_host_is_asked_as_listeners_are_and_placed_on_our_clock() -> None:
    def answer(_: int) -> dict[str, Any]:
        clock = {"monotonic": 100.0, "wall": 5.0}
        stalls = [{"from": 98.0, "to": 98.5}]
        return {"boot": "b", "clock": clock, "startedAt": 10.0, "holdUntil": 13.0, "stalls": stalls}

    clock, log = Clock(), HostLog()
    async with listener_pods(host=answer) as (pods, there), listeners.session() as session:
        collector = HostCollector("main-stage", log, clock, session, port=pods.port)
        began = clock.now()
        answered = asyncio.Event()
        collector.ask_all(there, answered.set)
        await asyncio.wait_for(answered.wait(), PATIENCE)
    assert collector.problems == {}
    assert log.seen_until is not None
    assert began <= log.seen_until <= clock.now()
    (stall,) = log.absences(Window(log.seen_until - 50, log.seen_until))
    assert (log.seen_until - stall.start, log.seen_until - stall.end) == pytest.approx((2.0, 1.5))
