"""Counts: from what LiveKit lists and tells to what is shown."""

from typing import Any

from livekit import api

from showstopper.audio.door.counts import Count, Counts


def room(name: str = "stage", *, sid: str = "RM_a", created: int = 1, people: int = 0, speakers: int = 0) -> api.Room:
    return api.Room(name=name, sid=sid, creation_time=created, num_participants=people, num_publishers=speakers)


def joined(number: int, *, speaks: bool = False, event: str = "participant_joined", **of: Any) -> api.WebhookEvent:
    who = api.ParticipantInfo(identity=str(number), permission=api.ParticipantPermission(can_publish=speaks))
    return api.WebhookEvent(event=event, id=f"EV_{number}", room=room(**of), participant=who)


def test_nothing_is_shown_before_livekit_was_asked() -> None:
    assert Counts(["stage"]).count("stage") is None


def test_speakers_are_no_listeners() -> None:
    counts = Counts(["stage"])
    counts.polled([room(people=7, speakers=1)], 100.0)
    counts.told(joined(1, speaks=True))
    assert counts.count("stage") == Count(now=6, peak=6, cumulative=6, measured_at=100.0)


def test_a_room_that_is_not_listed_has_nobody_and_keeps_what_it_had() -> None:
    counts = Counts(["stage"])
    counts.polled([room(people=7, speakers=1)], 100.0)
    counts.polled([], 101.0)
    assert counts.count("stage") == Count(now=0, peak=6, cumulative=6, measured_at=101.0)


def test_every_join_counts_once_however_often_it_is_told() -> None:
    counts = Counts(["stage"])
    counts.polled([room(people=3, speakers=1)], 100.0)
    for event in (joined(1), joined(2), joined(2), joined(3, event="participant_left")):
        counts.told(event)
    count = counts.count("stage")
    assert count is not None
    assert (count.now, count.peak, count.cumulative) == (2, 2, 4), "the two who were in, and two who came"


def test_a_new_room_of_the_same_name_begins_afresh_and_late_news_of_the_old_one_says_nothing() -> None:
    counts = Counts(["stage"])
    counts.polled([room(people=9)], 100.0)
    counts.polled([room(sid="RM_b", created=2, people=1)], 200.0)
    counts.told(joined(1))
    assert counts.count("stage") == Count(now=1, peak=1, cumulative=1, measured_at=200.0)


def test_looks_at_the_count_are_counted_for_all_replicas() -> None:
    first, second = Counts(["stage"]), Counts(["stage"])
    first.polled([room(people=5)], 100.0)
    for counts, replica, looks in ((first, "door-0", 3), (second, "door-1", 2)):
        for _ in range(looks):
            counts.looked_at("stage", replica)
    second.polled([room(people=5)], 100.0)
    first.merge(second.document())
    count = first.count("stage")
    assert count is not None
    assert count.looks == 3, "the other's looks were before it knew of the room"
    second.looked_at("stage", "door-1")
    first.merge(second.document())
    again = first.count("stage")
    assert again is not None
    assert again.looks == 4


def test_other_rooms_are_not_counted() -> None:
    counts = Counts(["stage"])
    counts.told(joined(1, name="elsewhere"))
    counts.merge({"rooms": {"elsewhere": {"created": 1, "sid": "RM_x", "peak": 5, "joins": 5}}})
    assert not counts.tallies


def test_what_another_replica_has_counted_is_known() -> None:
    first, second = Counts(["stage"]), Counts(["stage"])
    first.polled([room(people=5)], 100.0)
    first.told(joined(1))
    second.merge(first.document())
    second.polled([room(people=2)], 101.0)
    assert second.count("stage") == Count(now=2, peak=5, cumulative=6, measured_at=101.0)
