"""Storms at the room's own relay: all of them counted, by the relay as by the storm, and nothing left over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest
from prometheus_client.samples import Sample

from e2e.test_packet_flood import jobs, restricted
from e2e.test_refusals import refused
from tests.support.staged_room import (
    HEARD_AT_ALL,
    PASSED,
    Object,
    Show,
    condition,
    eventually,
    experiment,
    finished,
    proven,
    stands,
    told,
)

pytestmark = [pytest.mark.cluster, pytest.mark.matrix("storms")]

JOINS, RATE = 50, 25
OTHERS = 15
"""Joins of newcomers of the room's own fleet within a run: one in five seconds."""

SIGNALLED, CONNECTED = "signal_connected", "rtc_connected"


def storm(duration: str = "10s", *, serving: bool = True, **spec: object) -> Object:
    """A storm at the relay that serves."""
    target = {"component": "relay", "serving": serving, "max": 1}
    return {
        "name": "storm",
        "target": target,
        "duration": duration,
        "joinStorm": {"port": "signal", "joins": JOINS, "rate": RATE, **spec},
    }


def joined(show: Show) -> dict[str, float]:
    """Joins that the relays have counted themselves since they began, by how far they got."""
    counted: dict[str, float] = defaultdict(float)
    for sample in samples(show, "livekit_participant_join_total"):
        counted[sample.labels["state"]] += sample.value
    return dict(counted)


def participants(show: Show) -> float:
    """Who is in, by the relays' own count."""
    return sum(sample.value for sample in samples(show, "livekit_participant_total"))


def samples(show: Show, name: str) -> Iterator[Sample]:
    """What all relays measure under that name."""
    return (sample for relay in show.relays().values() for sample in show.samples(relay) if sample.name == name)


def pods(show: Show) -> list[Object]:
    items: list[Object] = show.api.get(
        f"/api/v1/namespaces/{show.namespace}/pods", labelSelector="showstopper.dev/role=storm"
    )["items"]
    return items


def test_fifty_joins_in_two_seconds_are_all_let_in_heard_and_counted_by_the_relay(show: Show) -> None:
    before = joined(show)
    with restricted(show):
        show.apply(experiment("join-storm", faults=[storm()], recovery="5s", expect=HEARD_AT_ALL))
        resource, run = show.verdict("join-storm")
    after = joined(show)
    assert run["status"]["verdict"] == "Passed", told(run)
    assert stands(resource) == PASSED
    (record,) = run["status"]["faults"]
    assert (record["kind"], record["proven"], record["reverted"]) == ("joinStorm", True, True), record
    came = record["storm"]
    assert (came["asked"], came["attempts"], came["letIn"], came["heard"]) == (JOINS, JOINS, JOINS, JOINS), came
    assert (came.get("refused", []), came["unknown"], came["lost"]) == ([], 0, 0), came
    for step in ("upgraded", "connected", "firstPacket"):
        assert came[step]["count"] == JOINS, came
    more = {state: after.get(state, 0) - before.get(state, 0) for state in (SIGNALLED, CONNECTED)}
    assert all(JOINS <= count <= JOINS + OTHERS for count in more.values()), f"the relays count {more}"
    assert all(window["residents"] == 2 for window in run["status"]["windows"]), "visitors are nobody's listeners"
    assert (pods(show), jobs(show)) == ([], [])
    assert not show.api.get(show.path("injections"))["items"]
    eventually("all visitors have left", 30, lambda: participants(show) < JOINS / 2)


def test_hidden_visitors_who_only_signal_are_let_in(show: Show) -> None:
    spec = {"signallingOnly": True, "hidden": True}
    show.apply(experiment("quiet-storm", faults=[storm("6s", **spec)], recovery="3s", expect=HEARD_AT_ALL))
    _, run = show.verdict("quiet-storm")
    assert run["status"]["verdict"] == "Passed", told(run)
    came = run["status"]["faults"][0]["storm"]
    assert (came["attempts"], came["letIn"], came["heard"]) == (JOINS, JOINS, 0), came
    assert "connected" not in came
    assert (pods(show), jobs(show)) == ([], [])


def test_a_storm_that_is_aborted_leaves_nobody_in_the_room(show: Show) -> None:
    show.apply(experiment("long-storm", faults=[storm("5m")], recovery="1s", expect=HEARD_AT_ALL))
    run = show.at("long-storm", "visitors are in", lambda status: proven(status) and participants(show) > JOINS)
    path = show.path("experimentruns", run["metadata"]["name"])
    show.api.merge(path, {"spec": {"abort": True}})
    eventually("the run is over", 60, lambda: finished(show.api.get(path)))
    run = show.api.get(path)
    assert run["status"]["verdict"] == "Aborted", told(run)
    assert run["status"]["faults"][0]["reverted"]
    assert (pods(show), jobs(show)) == ([], [])
    # Their gate is shut before they can say goodbye: the relay waits for their pings, and then lets go of them.
    eventually("the relay has let go of them", 60, lambda: participants(show) < JOINS / 2)


def test_a_full_storm_at_a_relay_that_does_not_serve_is_refused(show: Show) -> None:
    """Its visitors would get their sound from another relay, to which no gate leads."""
    show.apply(experiment("elsewhere", faults=[storm(serving=False)]))
    resource = refused(show, "elsewhere", "MediaUnreachable")
    assert "write serving: true in the target" in condition(resource, "Stalled")["message"]
    assert (pods(show), jobs(show)) == ([], [])


def test_calls_without_a_token_are_answered_and_nobody_joins_by_them(show: Show) -> None:
    before = joined(show)
    calls = {"port": "signal", "connections": 200, "rate": 100}
    flood = {"name": "flood", "target": {"component": "relay", "serving": True, "max": 1}, "duration": "7s"}
    show.apply(experiment("calls", faults=[flood | {"connectionFlood": calls}], recovery="3s", expect=HEARD_AT_ALL))
    _, run = show.verdict("calls")
    assert run["status"]["verdict"] == "Passed", told(run)
    came = run["status"]["faults"][0]["storm"]
    assert (came["attempts"], came["letIn"], came["answered"], came["unknown"]) == (200, 200, 200, 0), came
    after = joined(show)
    assert after.get(SIGNALLED, 0) - before.get(SIGNALLED, 0) <= OTHERS
    assert (pods(show), jobs(show)) == ([], [])


def test_clients_who_are_dropped_come_back_at_once(show: Show) -> None:
    before = joined(show)
    retries = {"port": "signal", "clients": 30, "tries": 600, "drop": "4s", "pause": "100ms", "signallingOnly": True}
    target = {"component": "relay", "serving": True, "max": 1}
    faults = [{"name": "retries", "target": target, "duration": "10s", "retryStorm": retries}]
    show.apply(experiment("retries", faults=faults, recovery="3s", expect=HEARD_AT_ALL))
    _, run = show.verdict("retries")
    assert run["status"]["verdict"] == "Passed", told(run)
    came = run["status"]["faults"][0]["storm"]
    assert (came["asked"], came["dropped"], came["back"]) == (30, 30, 30), came
    assert came["letIn"] == 60, came
    assert joined(show).get(SIGNALLED, 0) - before.get(SIGNALLED, 0) >= 60
    assert (pods(show), jobs(show)) == ([], [])
