"""How long all indicators of a large room take: `python -m tests.availability.benchmark [listeners] [spans each]`."""

import sys
import time
import tracemalloc
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from showstopper.availability import coverage
from showstopper.availability.abort import AbortCondition, breached
from showstopper.availability.feed import Feed, parse_feed
from showstopper.availability.indicators import INDICATORS, Recovery, measure_all
from showstopper.availability.indicators.listening import AUDIBLE_RATIO
from showstopper.availability.spans import Kind
from showstopper.availability.timeline import Timeline
from tests.availability.build import EPOCH, L, N, Q, arrival_json, document, spans, window

SECONDS = 600.0
T = TypeVar("T")


def pod(index: int, listeners: int, each: int) -> list[Feed]:
    """Ten minutes of a pod's listeners, with `each` spans, and an arrival every 5 s, in one answer a minute."""
    pairs, step = each // 2, 2 * SECONDS / each
    story = [part for _ in range(pairs) for part in ((L, step * 0.99), ((Q, N)[index % 2], step * 0.01))]
    told = [span.shifted(-EPOCH) for name in range(listeners) for span in spans(f"pod-{index}/{name}", story)]
    visits = [
        arrival_json(f"a{at}", at * 5.0, at * 5.0 + 15, joined=at * 5 + 1.0, audio=at * 5 + 1.3) for at in range(117)
    ]
    seen = [span.shifted(-EPOCH) for at in range(117) for span in spans(f"a{at}", [(L, 15)], at * 5.0, Kind.ARRIVAL)]
    whole = sorted([*told, *seen], key=lambda span: span.end)
    answers, first = [], 1
    for minute in range(1, 11):
        part = [
            span for span in whole if (minute - 1) * 60 < span.end <= minute * 60 or (minute == 10 and span.end > 600)
        ]
        records = [visit for visit in visits if (minute - 1) * 60 < visit["leftAt"] <= minute * 60]
        fields: dict[str, Any] = {"boot": f"b{index}", "pod": f"pod-{index}", "clock": minute * 60.0, "first": first}
        answers.append(parse_feed(document(part, arrivals=records, **fields), EPOCH))
        first += len(part)
    return answers


def add(room: Timeline, feeds: list[list[Feed]]) -> None:
    for answers in feeds:
        for answer in answers:
            room.add(answer)


def timed(what: str, act: Callable[[], T]) -> T:
    began = time.perf_counter()
    result = act()
    sys.stdout.write(f"{what:58} {1000 * (time.perf_counter() - began):8.1f} ms\n")
    return result


def main() -> None:
    listeners, each = (int(text) for text in [*sys.argv[1:3], "1000", "60"][:2])
    feeds = timed(
        f"parse {listeners} listeners x {each} spans",
        lambda: [pod(index, 20, each) for index in range(listeners // 20)],
    )
    room = Timeline()
    timed("add them", partial(add, room, feeds))
    view = timed("view of 10 minutes", lambda: room.view(window(0, SECONDS), listeners))
    for indicator in INDICATORS:
        timed(f"  {indicator}", partial(indicator.measure, view, Recovery(EPOCH + 60)))
    measured = timed("all indicators", lambda: measure_all(view, Recovery(EPOCH + 60)))
    timed("coverage", lambda: coverage.of(view))
    minute = timed("view of the last minute", lambda: room.view(window(540, 600), listeners))
    timed("all indicators of it", lambda: measure_all(minute))
    condition = AbortCondition(AUDIBLE_RATIO, below=0.1, seconds=40)
    timed("abort condition over 40 s", lambda: breached(condition, room, listeners, since=EPOCH, now=EPOCH + 600))
    sys.stdout.write(f"{ {each.name: result.value for each, result in measured.items()} }\n")


def memory() -> None:
    """What the spans themselves take."""
    tracemalloc.start()
    room = Timeline()
    for index in range(50):
        for answer in pod(index, 20, 60):
            room.add(answer)
    sys.stdout.write(f"{'memory of the timeline':58} {tracemalloc.get_traced_memory()[0] / 1e6:8.1f} MB\n")


if __name__ == "__main__":
    main()
    memory()
