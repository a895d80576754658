"""What the reference says of packets whose sound is known."""

import itertools
from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from showstopper.audio.crowd.matching import recording, reference
from showstopper.audio.crowd.matching.opus import Decoder
from showstopper.audio.crowd.matching.recording import UNKNOWN, Recording, Sound
from showstopper.audio.crowd.matching.reference import Recordings, Reference
from showstopper.audio.crowd.streams import STREAMS
from showstopper.audio.hearing.classify import Rules
from showstopper.audio.media import PACKET_SECONDS
from showstopper.availability.spans import State
from tests.support.shows import MONOTONIC, Part, Show, show, wall

L, H, S, Q, G, U = State.LIVE, State.HOLD, State.STALE, State.SILENT, State.GARBLED, State.UNKNOWN
LIVE = show([Part(L, 4)])


def played(packets: Iterable[tuple[int, bytes]], rules: Rules | None = None) -> Recordings:
    """The recordings of one reference that heard these packets, by their sequence numbers, and nothing after them."""
    recordings = Recordings()
    listener = Reference(recordings, rules or Rules(), wall)
    at = MONOTONIC
    for number, payload in packets:
        at = MONOTONIC + (number + 1) * PACKET_SECONDS
        listener.take(9, number & 0xFFFF, payload, at)
    listener.look(at + 0.3)
    return recordings


def states(recordings: Recordings, packets: Sequence[bytes], late: float = 0.0) -> list[State]:
    """What each packet is for a listener to whom it came so much later than to the reference."""
    said = []
    for number, payload in enumerate(packets):
        places = recordings.places(payload)
        sounds = {place.sound.heard_at(MONOTONIC + (number + 1) * PACKET_SECONDS + late, Rules()) for place in places}
        said.append(sounds.pop() if len(sounds) == 1 else U)
    return said


def whole(sound: Show) -> Recordings:
    return played(enumerate(sound.packets))


@pytest.mark.parametrize(
    ("part", "state"),
    [
        (Part(L, 3), L),
        (Part(L, 3, age=4.5), L),
        (Part(S, 3, age=6), S),
        (Part(S, 3, age=300), S),
        (Part(H, 3), H),
        *((Part(G, 3, seed=seed), G) for seed in range(4)),
    ],
)
def test_a_packet_is_what_the_host_sent(part: Part, state: State) -> None:
    sound = show([part])
    said = states(whole(sound), sound.packets)
    assert set(said) <= {state, U}
    assert said.count(state) > 110


@pytest.mark.parametrize("seconds", [0.16, 0.2, 0.24, 0.28])
@pytest.mark.parametrize("kind", [G, H, S, Q])
def test_what_a_recording_ends_with_is_not_called_what_was_before_it(kind: State, seconds: float) -> None:
    """Where noise is that short, the ear takes it for the sound beside it, and at an end only one is beside it."""
    for seed in range(6):
        sound = show([Part(L, 1.5), aged(Part(kind, seconds, seed=seed))])
        said = states(whole(sound), sound.packets)
        assert set(said[20:65]) == {L}
        for state, truth in zip(said, sound.truth, strict=True):
            assert state is not L or {part.kind for part in truth} == {L}


def test_the_host_s_sound_is_stale_for_whom_it_reaches_five_seconds_after_it_was_spoken() -> None:
    recordings = whole(LIVE)
    assert set(states(recordings, LIVE.packets, late=4.85)) == {L, U}
    assert set(states(recordings, LIVE.packets, late=4.95)) == {S, U}
    assert set(states(recordings, LIVE.packets, late=-4.0)) == {L, U}


def test_silence_has_no_place_but_a_sound_of_its_own() -> None:
    sound = show([Part(L, 1), Part(Q, 1)])
    assert len(sound.packets[80]) <= 3
    kept = Recording(Rules(), wall, MONOTONIC)
    for number, payload in enumerate(sound.packets):
        kept.take(payload, MONOTONIC + number * PACKET_SECONDS)
    kept.close()
    assert kept.sound(80) == Sound(Q)
    assert whole(sound).places(sound.packets[80]) == []


SHORTEST_SECONDS = 0.2
"""Two windows: what is shorter may fill none, and can pass unnoticed, by the SDK's listeners, too."""

KINDS = st.sampled_from([L, H, S, Q, G])
PARTS = st.lists(
    st.builds(
        Part, KINDS, st.floats(SHORTEST_SECONDS, 0.8), st.sampled_from([0.1, 2.0, 4.8]), st.sampled_from([0, 1, 4, 5])
    ),
    max_size=4,
)


def aged(part: Part) -> Part:
    return Part(part.kind, part.seconds, part.age + 10, part.seed) if part.kind is S else part


@given(PARTS)
@settings(max_examples=15, deadline=None)
def test_nothing_is_called_the_host_s_that_is_not_wherever_sound_changes(parts: list[Part]) -> None:
    sound = show([aged(part) for part in [Part(L, 0.7), *parts, Part(L, 0.7)]])
    for said, truth in zip(states(whole(sound), sound.packets), sound.truth, strict=True):
        if said in {L, S}:  # noise within hold music is bridged, as for every listener that decodes
            assert {part.kind for part in truth} == {said}


@pytest.mark.parametrize("gap", [1, 4, 5, 40])
def test_a_few_lost_packets_are_made_up_for_and_more_begin_a_new_recording(gap: int) -> None:
    came = [(number, payload) for number, payload in enumerate(LIVE.packets) if not 80 <= number < 80 + gap]
    recordings = played(came)
    places = [recordings.places(payload)[0] for _, payload in came]
    assert len({id(place.recording) for place in places}) == (1 if gap <= 4 else 2)
    assert set(states(recordings, LIVE.packets)) == {L, U}
    assert [place.sound.state for place in places[40:60]] == [L] * 20


@pytest.mark.parametrize(("held", "unknown"), [(0.19, 0), (0.21, 2 * 5)])
def test_what_was_held_up_and_came_in_a_burst_is_one_recording(held: float, unknown: int) -> None:
    recordings = Recordings()
    listener = Reference(recordings, Rules(), wall)
    over = MONOTONIC + 100 * PACKET_SECONDS + held
    for number, payload in enumerate(LIVE.packets):
        due = MONOTONIC + (number + 1) * PACKET_SECONDS
        listener.take(9, number, payload, max(due, over) if number >= 100 else due)
    listener.look(MONOTONIC + 10)
    around = states(recordings, LIVE.packets[50:150])
    assert around.count(U) == unknown
    assert around.count(L) == len(around) - unknown


def test_late_and_doubled_packets_change_nothing() -> None:
    came = list(enumerate(LIVE.packets))
    came[60:62] = [came[61], came[60], came[61]]
    recordings = played(came)
    assert states(recordings, LIVE.packets)[80:120] == [L] * 40
    assert not recordings.places(LIVE.packets[60])


def test_two_streams_at_once_are_each_recorded_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two speakers: their packets come in turns."""
    opened = itertools.count()

    def open_decoder() -> Decoder:
        next(opened)
        return Decoder()

    monkeypatch.setattr(recording, "Decoder", open_decoder)
    other = show([Part(H, 4)])
    recordings = Recordings()
    listener = Reference(recordings, Rules(), wall)
    for number, both in enumerate(zip(LIVE.packets, other.packets, strict=True)):
        for ssrc, payload in enumerate(both):
            listener.take(ssrc, number, payload, MONOTONIC + (number + 1) * PACKET_SECONDS)
    listener.look(MONOTONIC + 5)
    assert next(opened) == 2
    assert set(states(recordings, LIVE.packets)) == {L, U}
    assert states(recordings, LIVE.packets)[20:180] == [L] * 160
    assert states(recordings, other.packets)[20:180] == [H] * 160


def test_streams_without_end_and_recordings_that_are_over_hold_no_decoder() -> None:
    recordings = Recordings()
    listener = Reference(recordings, Rules(), wall)
    for number, payload in enumerate(LIVE.packets):
        listener.take(number % 40, number, payload, MONOTONIC + number * 0.001)
    over = {id(place.recording): place.recording for each in LIVE.packets for place in recordings.places(each)}
    assert len(over) > 100
    assert sum(hasattr(each, "_decoder") for each in over.values()) == STREAMS
    listener.look(MONOTONIC + 5)
    assert not any(hasattr(each, "_decoder") for each in over.values())


def test_the_seam_of_sequence_numbers_is_none_of_the_sound() -> None:
    recordings = played((65500 + number, payload) for number, payload in enumerate(LIVE.packets))
    assert len({id(place.recording) for payload in LIVE.packets for place in recordings.places(payload)}) == 1


def test_what_cannot_be_decoded_ends_a_recording_and_says_nothing() -> None:
    packets = [*LIVE.packets[:100], b"\xff\xff\xff\xff", *LIVE.packets[100:]]
    recordings = played(enumerate(packets))
    assert recordings.places(b"\xff\xff\xff\xff") == []
    assert set(states(recordings, packets)) == {L, U}


def test_nothing_is_known_before_its_surroundings_are() -> None:
    kept = Recording(Rules(), wall, MONOTONIC)
    for number, payload in enumerate(LIVE.packets):
        kept.take(payload, MONOTONIC + number * PACKET_SECONDS)
        newest = [kept.sound(index) for index in range(max(0, number - 34), number + 1)]
        assert all(sound == UNKNOWN for sound in newest)
    assert kept.sound(len(LIVE.packets) - 45).state is L
    assert kept.sound(-1) == kept.sound(10_000) == UNKNOWN


def test_a_recording_forgets_and_so_does_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "KEEP_PACKETS", 60)
    monkeypatch.setattr(reference, "KEEP_SECONDS", 1.2)
    recordings = whole(LIVE)
    assert len(recordings) <= 61
    (last,) = recordings.places(LIVE.packets[-30])
    assert last.sound.state is L
    assert last.recording.payload(0) is None
    assert last.recording.packets(0, 10) is None
    assert last.recording.sound(0) == UNKNOWN
    assert last.recording.changes(last.index - 40, last.index) == []
    assert len(last.recording._packets) <= 120


def test_without_a_time_code_any_sound_is_live_and_old_by_the_difference_of_times() -> None:
    sound = show([Part(G, 5, seed=1)])
    recordings = played(enumerate(sound.packets), Rules(coded=False))
    said = [recordings.places(payload)[0].sound for payload in sound.packets]
    known = [(number, each) for number, each in enumerate(said) if each.state is L]
    assert len(known) > 100
    for number, each in known:
        at = MONOTONIC + (number + 1) * PACKET_SECONDS
        assert each.heard_at(at + 4.9, Rules(coded=False)) is L
        assert each.heard_at(at + 5.1, Rules(coded=False)) is S


def test_a_window_of_two_hosts_one_after_the_other_is_unknown() -> None:
    sound = show([Part(L, 1.5, age=0.1), Part(L, 1.5, age=3.1)])
    said = states(whole(sound), sound.packets)
    seam = [number for number, truth in enumerate(sound.truth) if len(truth) > 1]
    assert all(said[number] is U for number in range(seam[0] - 4, seam[-1] + 4))
    assert {said[40], said[110]} == {L}
    assert all(state is following or U in (state, following) for state, following in itertools.pairwise(said))
