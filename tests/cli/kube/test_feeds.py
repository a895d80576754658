"""The feeds through the pod proxy of the API server; here a small HTTP server in its place: no node runs in tests."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from showstopper.availability.errors import FeedError
from showstopper.availability.spans import Kind, Span, State
from showstopper.availability.timeline import Timeline
from showstopper.cli.kube.feeds import Feeds, clock_of
from showstopper.clock import Clock
from showstopper.cluster.client import Client
from showstopper.cluster.listeners import ROLE_LABEL
from tests.availability.build import document

AHEAD = 1000.0  # seconds by which the cluster's clock is ahead of this machine's
LISTENER = "main-stage-listeners-0/0"


class Proxy:
    """Pods by name with what they answer (a status or a feed), and what was asked of them."""

    def __init__(self) -> None:
        self.pods: dict[str, int | dict[str, Any]] = {}
        self.status = 200
        self.asked: list[str] = []
        self.client: Client
        self.has_waiting = True

    async def list_pods(self, request: web.Request) -> web.Response:
        self.asked.append(request.query["labelSelector"])
        items = [
            {"metadata": {"name": name, "labels": {ROLE_LABEL: name.split("-")[0]}}, "status": {"podIP": "198.18.1.1"}}
            for name in self.pods
            if "=listener" not in request.query["labelSelector"] or name.startswith("listener")
        ]
        waiting = [{"metadata": {"name": "not-yet"}, "status": {}}] if self.has_waiting else []
        return web.json_response({"items": [*items, *waiting], "message": "no"}, status=self.status)

    async def feed(self, request: web.Request) -> web.Response:
        name, _, port = request.match_info["pod"].partition(":")
        path = request.match_info["feed"]
        assert path == ("crowd" if name.startswith("crowd") else "spans")
        self.asked.append(f"{name}:{port} after {request.query['after']}")
        answer = self.pods[name]
        return (
            web.json_response({"message": "no"}, status=answer)
            if isinstance(answer, int)
            else web.json_response(answer)
        )


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[tuple[Proxy, Feeds]]:
    feed_proxy = Proxy()
    app = web.Application()
    app.router.add_get("/api/v1/namespaces/show/pods", feed_proxy.list_pods)
    app.router.add_get("/api/v1/namespaces/show/pods/{pod}/proxy/v1/{feed}", feed_proxy.feed)
    async with TestServer(app) as server:
        config = tmp_path / "kubeconfig"
        config.write_text(
            "current-context: c\ncontexts: [{name: c, context: {cluster: c, user: u}}]\nusers: [{name: u, user: {}}]\n"
            f'clusters: [{{name: c, cluster: {{server: "http://127.0.0.1:{server.port}"}}}}]\n'
        )
        async with await Client.connect(config) as client:
            feed_proxy.client = client
            yield feed_proxy, Feeds(client, "show", "main-stage", Clock())


def told(boot: str = "boot-1", first: int = 1) -> dict[str, Any]:
    """A pod whose clock began a hundred seconds ago; its listener heard the host for the last ten."""
    heard, hears = (Span(LISTENER, Kind.RESIDENT, State.LIVE, start, start + 5.0) for start in (90.0, 95.0))
    answer = document([heard], [hears], boot=boot, pod="listener-0", clock=100.0, first=first)
    answer["clock"]["wall"] = time.time() + AHEAD
    return answer


async def test_spans_come_on_the_clusters_time(proxy: tuple[Proxy, Feeds]) -> None:
    server, feeds = proxy
    server.pods["listener-0"] = told()
    await feeds.once()
    span = feeds.timeline.current()[LISTENER]
    assert span.state is State.LIVE
    assert feeds.note == ""
    # The tolerance is for a busy machine: what is tested is a difference of a thousand seconds.
    assert feeds.now() == pytest.approx(time.time() + AHEAD, abs=60)
    assert span.end == pytest.approx(feeds.now(), abs=60)


async def test_only_the_rooms_listeners_are_asked_and_only_for_what_is_new(proxy: tuple[Proxy, Feeds]) -> None:
    server, feeds = proxy
    server.pods["listener-0"] = told(first=7)
    await feeds.once()
    await feeds.once()
    assert server.asked == [
        "showstopper.dev/room=main-stage,showstopper.dev/role=listener",
        "listener-0:8090 after 0",
        "showstopper.dev/room=main-stage,showstopper.dev/role=listener",
        "listener-0:8090 after 7",
    ]


def crowd(*rows: tuple[int, float, str], boot: str = "boot-1", afresh: bool = True, last: int = 2) -> dict[str, Any]:
    """A pod of a crowd of two, who joined ninety seconds after its clock began; 95 s are settled."""
    changes = [{"slot": slot, "at": at, "state": state} for slot, at, state in rows]
    return {
        "boot": boot,
        "room": "main-stage",
        "pod": "crowd-0",
        "clock": {"monotonic": 100.0, "wall": time.time() + AHEAD},
        "size": 2,
        "settledUntil": 95.0,
        "next": last,
        "lost": 0,
        "changes": changes,
        "newest": changes if afresh else [],
        "refusals": {},
        "instrument": {"kernelDrops": 0, "stalls": []},
    }


async def test_a_crowd_is_asked_where_it_is_wanted_and_is_apart_from_the_listeners(proxy: tuple[Proxy, Feeds]) -> None:
    server, feeds = proxy
    server.pods.update({"listener-0": told(), "crowd-0": crowd((0, 90.0, "Live"), (1, 90.0, "Live")), "host-0": 500})
    wanting = Feeds(server.client, "show", "main-stage", Clock(), crowd=Timeline())
    await wanting.once()
    assert wanting.crowd is not None
    assert {name: span.state for name, span in wanting.crowd.current().items()} == {
        "crowd-0/0": State.LIVE,
        "crowd-0/1": State.LIVE,
    }
    assert set(wanting.timeline.current()) == {LISTENER}
    assert [each for each in server.asked if "crowd" in each] == ["crowd-0:8090 after 0"]
    server.pods["crowd-0"] = crowd((1, 93.0, "NoMedia"), afresh=False, last=3)
    await wanting.once()
    assert wanting.crowd.current()["crowd-0/1"].state is State.NO_MEDIA
    server.pods["crowd-0"] = crowd((1, 90.0, "Joining"), boot="boot-2")
    await wanting.once()
    assert wanting.crowd.current()["crowd-0/1"].state is State.JOINING
    server.pods["crowd-0"] = 503
    await wanting.once()
    assert [each for each in server.asked if "crowd" in each][1:] == [
        "crowd-0:8090 after 2",
        "crowd-0:8090 after 3",
        "crowd-0:8090 after 0",
        "crowd-0:8090 after 2",
    ]
    assert wanting.note == ""
    server.asked.clear()
    await feeds.once()
    assert feeds.crowd is None
    assert not [each for each in server.asked if "crowd" in each]


async def test_a_room_that_has_only_its_crowd_yet_has_no_listeners(proxy: tuple[Proxy, Feeds]) -> None:
    server, _ = proxy
    server.pods["crowd-0"] = crowd((0, 90.0, "Live"))
    feeds = Feeds(server.client, "show", "main-stage", Clock(), crowd=Timeline())
    server.has_waiting = False
    await feeds.once()
    assert feeds.note == "room show/main-stage has no listener pods yet"


async def test_a_restarted_pod_is_read_from_its_beginning(proxy: tuple[Proxy, Feeds]) -> None:
    server, feeds = proxy
    server.pods["listener-0"] = told(first=7)
    await feeds.once()
    server.pods["listener-0"] = told("boot-2")
    await feeds.once()
    assert server.asked[-2:] == ["listener-0:8090 after 7", "listener-0:8090 after 0"]


async def test_a_pod_that_does_not_answer_hinders_no_other(proxy: tuple[Proxy, Feeds]) -> None:
    server, feeds = proxy
    server.pods.update({"listener-0": told(), "listener-1": 503, "listener-2": {"clock": "broken"}})
    await feeds.once()
    assert LISTENER in feeds.timeline.current()
    assert feeds.note == ""


async def test_who_may_not_list_pods_is_told_so(proxy: tuple[Proxy, Feeds]) -> None:
    server, feeds = proxy
    server.status = 403
    await feeds.once()
    assert feeds.note == "no sound to show: you may not list pods in namespace show"


async def test_who_may_not_use_the_proxy_is_told_so(proxy: tuple[Proxy, Feeds]) -> None:
    server, feeds = proxy
    server.pods["listener-0"] = 403
    await feeds.once()
    assert feeds.note == "no sound to show: you may not get pods/proxy in namespace show"


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"clock": {"wall": "now"}}', b"\xff"])
def test_what_has_no_clock_is_no_feed(content: bytes) -> None:
    with pytest.raises(FeedError):
        clock_of("listener-0", content)
