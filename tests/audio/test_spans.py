import json

from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.spans import Entry, Ring, Visit, span_document, statistics_document, visit_document
from showstopper.availability.spans import Kind, Span, State
from showstopper.availability.statistics import Statistics


def span(number: int) -> Span:
    return Span("p-0/0", Kind.RESIDENT, State.LIVE, float(number), number + 1.0, 0.1234567, 0.5)


def test_it_numbers_from_one_and_gives_what_follows() -> None:
    ring = Ring[Entry]()
    ring.add([span(1), span(2)], now=0)
    ring.add([span(3)], now=1)
    page = ring.after(1)
    assert [(number, entry.start) for number, entry in page.entries if isinstance(entry, Span)] == [(2, 2.0), (3, 3.0)]
    assert (page.next, page.lost) == (3, 0)


def test_what_is_older_than_an_hour_is_dropped_and_counted_for_who_missed_it() -> None:
    ring = Ring[Entry]()
    for second in range(0, 7200, 10):
        ring.add([span(second)], now=float(second))
    page = ring.after(100)
    assert page.next == 720
    assert page.lost == page.entries[0][0] - 101
    assert len(page.entries) == 361
    assert ring.after(700).lost == 0


def test_it_never_holds_more_than_its_most() -> None:
    ring = Ring[Entry](most=10)
    ring.add([span(number) for number in range(25)], now=0)
    assert [number for number, _ in ring.after(0).entries] == list(range(16, 26))
    assert ring.after(0).lost == 15


def test_a_number_of_another_process_s_ring_reads_from_the_beginning() -> None:
    ring = Ring[Entry]()
    ring.add([span(1), span(2)], now=0)
    assert len(ring.after(900).entries) == 2


@given(st.lists(st.integers(0, 5), max_size=40), st.integers(1, 30))
def test_a_reader_that_keeps_reading_sees_each_entry_once(batches: list[int], most: int) -> None:
    ring, seen, lost, known = Ring[Entry](most=most), [], 0, 0
    for number, count in enumerate(batches):
        ring.add([span(number)] * count, now=0)
        if number % 3 == 0:
            page = ring.after(known)
            seen += [at for at, _ in page.entries]
            lost += page.lost
            known = page.next
    page = ring.after(known)
    seen += [at for at, _ in page.entries]
    assert len(seen) == len(set(seen))
    assert len(seen) + lost + page.lost == sum(batches)


def test_documents_are_json_in_the_words_of_the_feed() -> None:
    assert json.loads(json.dumps(span_document(span(1), 7))) == {
        "sequence": 7,
        "listener": "p-0/0",
        "kind": "Resident",
        "state": "Live",
        "from": 1.0,
        "to": 2.0,
        "delaySeconds": 0.1235,
        "missingSeconds": 0.5,
    }
    assert "sequence" not in span_document(span(1))
    visit = Visit("p-0/a1", 1.0, None, None, None, 2.0, "no")
    assert visit_document(visit, 3)["joinedAt"] is None


def test_statistics_are_numbers_of_json_and_say_null_for_what_is_not_known() -> None:
    row = Statistics("p-0/0", 2.0, 4.0, received=98.0, lost=2.0, concealed=1920.0, samples=96000.0, jitter=0.00123456)
    assert json.loads(json.dumps(statistics_document(row, 9))) == {
        "sequence": 9,
        "listener": "p-0/0",
        "from": 2.0,
        "to": 4.0,
        "packetsReceived": 98,
        "packetsLost": 2,
        "concealedSamples": 1920,
        "totalSamples": 96000,
        "jitterSeconds": 0.001235,
        "delaySeconds": None,
    }
    assert "sequence" not in statistics_document(row)
