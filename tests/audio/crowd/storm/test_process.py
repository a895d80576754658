"""The storm as a process, at a server that is played: its gate, its ends, and what it says of itself."""

import asyncio
import json
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from showstopper.api.faults.storm import StormFigures
from showstopper.audio.crowd.storm.shape import StormShape
from showstopper.audio.crowd.storm.storm import Storm
from showstopper.faults.storm.settings import Depth
from tests.audio import crowd_processes
from tests.audio.crowd.played_server import PlayedServer, played
from tests.audio.crowd.storm import storms
from tests.audio.crowd_processes import Ended


@pytest.fixture
async def server() -> AsyncIterator[PlayedServer]:
    async with played() as running:
        yield running


async def ended(process: "subprocess.Popen[str]") -> Ended:
    """Wait for a process while the server goes on."""
    return await asyncio.to_thread(crowd_processes.end, process)


async def run(server: PlayedServer, **changes: str) -> Ended:
    return await ended(storms.start(server.room, **changes))


def figures(of: Ended) -> StormFigures:
    return StormFigures.model_validate(of.report["storm"])


async def test_a_storm_ends_by_its_time_and_says_what_came_of_it(server: PlayedServer, tmp_path: Path) -> None:
    over = await run(server, REPORT=str(tmp_path / "message"))
    assert over.code == 0, over.complaint
    assert (over.report["event"], over.report["ended_by"]) == ("stormed", "Seconds")
    came = figures(over)
    assert (came.asked, came.attempts, came.let_in, came.answered, came.unknown) == (8, 8, 8, 8, 0)
    assert came.upgraded is not None
    assert came.upgraded.count == 8
    assert came.upgraded.p50.endswith("ms")
    assert server.joins == 8
    assert json.loads((tmp_path / "message").read_text()) == over.report


async def test_refusals_are_counted_by_their_reason_at_the_first_try(server: PlayedServer) -> None:
    server.status = 503
    came = figures(await run(server))
    assert [(each.reason, each.count) for each in came.refused] == [("Unavailable", 8)]
    assert (came.attempts, came.let_in, came.answered, came.unknown) == (8, 0, 8, 0)
    assert came.message.startswith("HTTP 503")
    assert server.joins == 8, "nobody tries again"


async def test_it_waits_for_its_gate_and_without_one_joins_nobody(server: PlayedServer) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        port = str(udp.getsockname()[1])
    over = await run(server, GATE=port, END=crowd_processes.in_seconds(3))
    assert (over.code, over.report["ended_by"]) == (1, "NoGate"), over.complaint
    assert (figures(over).asked, figures(over).attempts, server.joins) == (8, 0, 0)

    process = storms.start(server.room, GATE=port)
    assert process.stdout is not None
    assert json.loads(await asyncio.to_thread(process.stdout.readline))["event"] == "waiting"
    assert server.joins == 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as voice:
        while process.poll() is None and not server.joins:  # as the agent says it, until packets pass
            voice.sendto(b"up", ("127.0.0.1", int(port)))
            await asyncio.sleep(0.05)
    over = await ended(process)
    assert (over.code, figures(over).let_in) == (0, 8)


async def test_sigterm_ends_it_with_goodbyes_and_a_report(server: PlayedServer) -> None:
    process = storms.start(server.room, SECONDS="30")
    while process.poll() is None and len(server.open) < 8:
        await asyncio.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    over = await ended(process)
    assert (over.code, over.report["ended_by"]) == (0, "Terminated"), over.complaint
    assert figures(over).let_in == 8


async def test_its_absolute_end_ends_it_however_long_it_may_last(server: PlayedServer) -> None:
    over = await run(server, SECONDS="60", END=crowd_processes.in_seconds(4))
    assert (over.code, over.report["ended_by"]) == (0, "End"), over.complaint


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"SPECIAL": ""}, "SHOWSTOPPER_STORM_TARGETS has 127.0.0.1"), ({"TRIES": "many"}, "SHOWSTOPPER_STORM_TRIES is")],
)
async def test_a_wrong_setting_is_one_line_and_status_two(
    server: PlayedServer, changes: dict[str, Any], says: str
) -> None:
    over = await run(server, **changes)
    assert (over.code, over.lines) == (2, [])
    assert over.complaint.count("\n") == 1
    assert says in over.complaint


async def test_who_is_not_in_when_its_time_is_over_was_not_let_in(server: PlayedServer) -> None:
    server.says = [b""]
    storm = Storm(server.room, StormShape(4, depth=Depth.SIGNALLING, seconds=0.5))
    tally = await storm.run()
    assert (tally.let_in, tally.unknown, tally.called) == (0, 0, 4)
    assert dict(tally.refused) == {"TimedOut": 4}
    (message,) = tally.messages
    assert message.startswith("not in when the storm was over: the server took the connection"), message


async def test_all_stay_to_its_end_and_take_targets_in_turn(server: PlayedServer) -> None:
    async with played() as other:
        urls = [server.room.url, other.room.url]
        storm = Storm(server.room, StormShape(8, depth=Depth.SIGNALLING, seconds=1.0), urls=urls)
        running = asyncio.create_task(storm.run())
        await asyncio.sleep(0.7)
        assert (len(server.open), len(other.open)) == (4, 4), "nobody has left"
        tally = await running
        assert (tally.let_in, tally.lost, server.joins, other.joins) == (8, {}, 4, 4)


async def test_clients_who_came_back_are_told_of(server: PlayedServer) -> None:
    over = await run(server, CLIENTS="8", TRIES="100", DROP="0.6", PAUSE="0.05", SECONDS="3")
    assert over.code == 0, over.complaint
    came = figures(over)
    assert (came.asked, came.attempts, came.let_in, came.dropped, came.back) == (8, 16, 16, 8, 8)
    assert came.came_back is not None
    assert came.came_back.count == 8
    once = figures(await run(server))
    assert (once.dropped, once.back, once.came_back) == (None, None, None)
