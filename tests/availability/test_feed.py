import copy
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.errors import FeedError
from showstopper.availability.feed import Arrival, parse_feed
from showstopper.availability.spans import Kind, State
from showstopper.errors import ShowstopperError
from tests.availability.build import EPOCH, L, Q, arrival_json, document, row, sample_json, spans

CLOSED = [span.shifted(-EPOCH) for span in spans("r0", [(L, 10), (Q, 5)])]
GOOD = document(
    CLOSED,
    [CLOSED[-1].shifted(5)],
    arrivals=[arrival_json("a1", 20.0, 35.0, joined=21.1, audio=21.4, live=21.5)],
    listeners=[sample_json("r0", 99.5)],
    statistics=[row(0, 2, lost=-3), row(2, 4, jitter=None, delay=None)],
    counting=[row(4, 5)],
)


def broken(*path: str | int, value: Any) -> dict[str, Any]:
    """The good document with one field replaced; the value `...` removes it."""
    document = copy.deepcopy(GOOD)
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    if value is ...:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


def test_a_feed_keeps_the_times_of_the_pods_own_clock_and_what_leads_to_ours() -> None:
    feed = parse_feed(GOOD, 1000.0, 0.01)
    assert (feed.offset, feed.uncertainty, feed.clock) == (1000.0, 0.01, 100.0)
    assert [(span.state, span.start, span.end) for span in feed.spans] == [(L, 0.0, 10.0), (Q, 10.0, 15.0)]
    assert feed.open[0].kind is Kind.RESIDENT
    assert feed.open[0].state is State.SILENT


def test_arrivals_and_transport_figures_are_read() -> None:
    feed = parse_feed(GOOD, 0.0)
    assert feed.arrivals == (Arrival("a1", 20.0, 21.1, 21.4, 21.5, 35.0, "", 35.0, 35.0),)
    assert feed.listeners[0].relay_address == "198.18.1.7"
    assert feed.listeners[0].relay_port == 7882
    assert feed.listeners[0].last_packet_at == pytest.approx(99.48)


def test_a_listener_may_have_no_relay_and_no_packet_yet() -> None:
    document = broken("listeners", 0, "relay", value=None)
    document["listeners"][0]["lastPacketAt"] = None
    sample = parse_feed(document, 0.0).listeners[0]
    assert (sample.relay_address, sample.relay_port, sample.last_packet_at) == (None, None, None)


def test_packets_lost_may_be_negative_as_rtp_allows() -> None:
    assert parse_feed(broken("listeners", 0, "packetsLost", value=-3), 0.0).listeners[0].packets_lost == -3


def test_statistics_are_read_those_that_go_on_too() -> None:
    feed = parse_feed(GOOD, 0.0)
    assert feed.statistics == (row(0, 2, lost=-3), row(2, 4, jitter=None, delay=None))
    assert feed.counting == (row(4, 5),)
    assert feed.wall == EPOCH + 100


def test_a_feed_of_an_older_listener_has_no_statistics() -> None:
    document = broken("statistics", value=...)
    del document["openStatistics"], document["clock"]["wall"]
    feed = parse_feed(document, 0.0)
    assert (feed.statistics, feed.counting, feed.wall) == ((), (), None)


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("boot",), ..., "boot"),
        (("boot",), "", "boot"),
        (("pod",), 7, "pod"),
        (("clock",), None, "clock"),
        (("clock", "monotonic"), "12", "clock.monotonic"),
        (("clock", "monotonic"), math.nan, "clock.monotonic"),
        (("next",), ..., "next"),
        (("next",), -1, "next"),
        (("next",), 1.5, "next"),
        (("lost",), True, "lost"),
        (("spans",), ..., "spans"),
        (("spans",), {}, "spans"),
        (("spans", 1), "x", "spans[1]"),
        (("spans", 1, "state"), "Loud", "spans[1].state"),
        (("spans", 1, "state"), None, "spans[1].state"),
        (("spans", 0, "kind"), "Guest", "spans[0].kind"),
        (("spans", 0, "listener"), "", "spans[0].listener"),
        (("spans", 0, "from"), math.inf, "spans[0].from"),
        (("spans", 0, "from"), True, "spans[0].from"),
        (("spans", 0, "to"), ..., "spans[0].to"),
        (("spans", 0, "to"), -1.0, "spans[0].to"),
        (("open", 0, "delaySeconds"), "fast", "open[0].delaySeconds"),
        (("listeners", 0, "relay"), "198.18.1.7", "listeners[0].relay"),
        (("listeners", 0, "relay", "address"), None, "listeners[0].relay.address"),
        (("listeners", 0, "sampledAt"), ..., "listeners[0].sampledAt"),
        (("clock", "wall"), "noon", "clock.wall"),
        (("clock", "monotonic"), 10**400, "clock.monotonic"),
        (("statistics",), {}, "statistics"),
        (("statistics", 0, "to"), -1.0, "statistics[0].to"),
        (("statistics", 0, "packetsReceived"), ..., "statistics[0].packetsReceived"),
        (("statistics", 0, "packetsReceived"), 10**400, "statistics[0].packetsReceived"),
        (("statistics", 0, "totalSamples"), -1, "statistics[0].totalSamples"),
        (("statistics", 1, "jitterSeconds"), "low", "statistics[1].jitterSeconds"),
        (("openStatistics", 0, "listener"), "", "openStatistics[0].listener"),
        (("arrivals", 0, "calledAt"), None, "arrivals[0].calledAt"),
        (("arrivals", 0, "leftAt"), 19.0, "arrivals[0].leftAt"),
        (("arrivals", 0, "error"), 500, "arrivals[0].error"),
    ],
)
def test_a_malformed_feed_is_refused_naming_pod_and_field(path: tuple[str | int, ...], value: Any, field: str) -> None:
    with pytest.raises(FeedError) as caught:
        parse_feed(broken(*path, value=value), 0.0)
    assert caught.value.field == field
    assert field in str(caught.value)
    assert caught.value.pod in {"pod-0", ""}


@pytest.mark.parametrize("document", [None, [], "spans", 7])
def test_what_is_no_object_is_refused(document: object) -> None:
    with pytest.raises(FeedError, match="the document"):
        parse_feed(document, 0.0)


def test_a_feed_error_is_one_of_ours() -> None:
    assert issubclass(FeedError, ShowstopperError)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
PATHS = st.sampled_from(
    [
        *((key,) for key in GOOD),
        *(("spans", 0, key) for key in GOOD["spans"][0]),
        *(("listeners", 0, key) for key in GOOD["listeners"][0]),
        *(("arrivals", 0, key) for key in GOOD["arrivals"][0]),
        *(("statistics", 0, key) for key in GOOD["statistics"][0]),
    ]
)


@given(PATHS, JSON)
def test_no_document_gets_through_with_anything_but_a_feed_or_a_feed_error(
    path: tuple[str | int, ...], value: object
) -> None:
    document = json.loads(json.dumps(broken(*path, value=value)))
    try:
        feed = parse_feed(document, 0.0)
    except FeedError:
        return
    assert all(math.isfinite(span.start) and span.start <= span.end for span in (*feed.spans, *feed.open))
