"""Whether media from an address has stopped: unseen is not stopped."""

from dataclasses import replace

from showstopper.availability.feed import Sample
from showstopper.availability.spans import Kind, Span, State
from showstopper.engine.hands.media import MediaWatch

ADDRESS = "198.18.1.7"
SAMPLE = Sample(
    listener="a",
    kind=Kind.RESIDENT,
    relay_address=ADDRESS,
    relay_port=7882,
    packets_received=10,
    packets_lost=0,
    last_packet_at=100.0,
    concealed_samples=0,
    total_samples=1,
    jitter=0.0,
    reconnects=0,
    sampled_at=100.2,
)


def stopped(sample: Sample | None, span: Span | None = None, since: float = 100.0) -> bool:
    samples = {"a": sample} if sample else {}
    current = {"a": span} if span else {}
    return MediaWatch(ADDRESS).stopped(["a"], samples, current, since=since)


def test_packets_that_still_come_have_not_stopped() -> None:
    assert not stopped(SAMPLE)


def test_a_second_without_a_packet_is_stopped() -> None:
    assert stopped(replace(SAMPLE, sampled_at=101.0))


def test_media_from_another_address_is_stopped_from_this_one() -> None:
    assert stopped(replace(SAMPLE, relay_address="198.18.2.9"))


def test_a_look_from_before_the_kill_proves_nothing() -> None:
    assert not stopped(replace(SAMPLE, relay_address="198.18.2.9", sampled_at=99.0))


def test_an_unseen_listener_proves_nothing() -> None:
    assert not stopped(None)


def test_no_listener_at_all_proves_nothing() -> None:
    assert not MediaWatch(ADDRESS).stopped([], {}, {}, since=0.0)


def test_a_listener_that_is_disconnected_gets_nothing() -> None:
    assert stopped(None, Span("a", Kind.RESIDENT, State.OFFLINE, 99.0, 101.5))
    assert not stopped(None, Span("a", Kind.RESIDENT, State.OFFLINE, 90.0, 99.5))
    assert not stopped(None, Span("a", Kind.RESIDENT, State.UNKNOWN, 99.0, 101.5))


def test_the_newest_packet_from_the_address_is_remembered_when_the_listener_has_moved() -> None:
    watch = MediaWatch(ADDRESS)
    watch.observe({"a": replace(SAMPLE, last_packet_at=102.2)})
    watch.observe({"a": replace(SAMPLE, relay_address="198.18.2.9", last_packet_at=111.0)})
    assert watch.last_packet == 102.2


def test_each_listener_is_asked_once_for_what_has_stopped_may_come_again() -> None:
    """A container that starts anew serves at the same address, and not every listener at the same time."""
    watch = MediaWatch(ADDRESS)
    quiet, flowing = replace(SAMPLE, sampled_at=101.0), replace(SAMPLE, last_packet_at=102.0, sampled_at=102.0)
    assert not watch.stopped(["a", "b"], {"a": quiet, "b": SAMPLE}, {}, since=100.0)
    assert watch.stopped(["a", "b"], {"a": flowing, "b": quiet}, {}, since=100.0)
    assert not watch.stopped(["a", "b", "c"], {"a": flowing, "b": flowing, "c": flowing}, {}, since=100.0)


def test_media_from_the_address_that_it_was_served_at_is_the_pods_wherever_it_is() -> None:
    """The node's, or a Service's: the pod's own address was never anybody's."""
    watch = MediaWatch(ADDRESS, ["203.0.113.9:7882"])
    flowing = replace(SAMPLE, relay_address="203.0.113.9", sampled_at=100.2)
    assert not watch.stopped(["a"], {"a": flowing}, {}, since=100.0)
    assert watch.stopped(["a"], {"a": replace(flowing, relay_port=7883)}, {}, since=100.0)


def test_media_from_an_address_of_nobody_may_be_the_pods() -> None:
    watch = MediaWatch(ADDRESS, others_known=False)
    flowing = replace(SAMPLE, relay_address="203.0.113.9", sampled_at=100.2)
    assert not watch.stopped(["a"], {"a": flowing}, {}, since=100.0)
    assert watch.stopped(["a"], {"a": replace(flowing, sampled_at=101.2)}, {}, since=100.0)
