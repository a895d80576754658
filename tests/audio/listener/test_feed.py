import asyncio
import json

from aiohttp.test_utils import TestClient, TestServer

from showstopper.audio.listener import feed
from showstopper.audio.listener.crew import Crew
from showstopper.audio.media import Poll
from showstopper.audio.settings import ListenerSettings, RoomSettings
from showstopper.audio.spans import Visit
from showstopper.availability.feed import parse_feed
from showstopper.availability.spans import Kind, Span, State

SETTINGS = ListenerSettings(RoomSettings("main-stage", "ws://relay:7880", "stage", "key", "hush"), "p-0", 2, 0)


def crew() -> Crew:
    listener_crew = Crew(SETTINGS)
    listener_crew.record([Span("p-0/0", Kind.RESIDENT, State.JOINING, 1, 2), Visit("p-0/a1", 1, 2, 3, 4, 5, "")])
    return listener_crew


async def test_the_feed_is_what_the_operator_reads() -> None:
    residents = crew()
    client = residents.resident(0)
    client.story.connection(client.sampled_at, None)
    client.media.polled(client.sampled_at + 9, [])
    client.story.tell(client.sampled_at + 5)
    async with TestClient(TestServer(feed.application(residents))) as http:
        answer = await http.get("/v1/spans?after=0")
        said = parse_feed(await answer.json(), offset=0.0)
    assert (said.room, said.pod, said.next, said.lost) == ("main-stage", "p-0", 2, 0)
    assert [span.state for span in said.spans] == [State.JOINING]
    assert [span.state for span in said.open] == [State.NO_MEDIA]
    assert [visit.first_live for visit in said.arrivals] == [4]
    assert said.listeners[0].relay_address is None


async def test_statistics_of_residents_are_in_it_and_the_row_that_goes_on() -> None:
    residents = crew()
    for client in (residents.resident(0), residents.arrival(1)):
        client.story.connection(client.sampled_at, None)
        for quarter in range(1, 25):
            at = client.sampled_at + quarter / 4
            client._polled(at, [Poll("a", at, round(12.5 * quarter), total=12_000 * quarter, last_packet_at=at)])
        client.story.tell(client.sampled_at + 5)
        residents.record(client.count())
    async with TestClient(TestServer(feed.application(residents))) as http:
        said = parse_feed(await (await http.get("/v1/spans?after=2")).json(), offset=0.0)
    assert [(row.listener, row.received, row.samples) for row in said.statistics] == [("p-0/0", 100, 96_000)] * 2
    assert [(row.listener, row.received) for row in said.counting] == [("p-0/0", 50)]
    assert said.next == 4


async def test_it_continues_after_a_number() -> None:
    async with TestClient(TestServer(feed.application(crew()))) as http:
        said = await (await http.get("/v1/spans?after=1")).json()
    assert (said["spans"], len(said["arrivals"]), said["next"]) == ([], 1, 2)


async def test_an_hour_at_once_is_said_bit_by_bit_and_holds_up_nobody() -> None:
    residents = crew()
    residents.record(Span("p-0/0", Kind.RESIDENT, State.LIVE, at, at + 1) for at in range(2, 20_000))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    meanwhile = asyncio.create_task(others())
    said = json.loads(await feed.encoded(residents, 0))
    meanwhile.cancel()
    assert turns > 30
    whole = residents.document(0)
    assert (said["spans"], said["arrivals"]) == (whole["spans"], whole["arrivals"])
    assert (said["next"], said["lost"]) == (whole["next"], 0)


async def test_each_process_has_a_boot_of_its_own() -> None:
    assert crew().boot != crew().boot


async def test_a_wrong_number_is_refused_with_a_sentence() -> None:
    async with TestClient(TestServer(feed.application(crew()))) as http:
        for number in ("-1", "x", "9" * 40, ""):
            answer = await http.get("/v1/spans", params={"after": number})
            assert answer.status == 400
            assert "whole number" in await answer.text()


async def test_it_holds_no_secret_and_takes_nothing() -> None:
    async with TestClient(TestServer(feed.application(crew()))) as http:
        assert "hush" not in await (await http.get("/v1/spans")).text()
        assert (await http.post("/v1/spans")).status == 405
        assert (await http.get("/healthz")).status == 200
