import json
from typing import Any

import pytest

from showstopper.availability.errors import FeedError
from showstopper.availability.spans import Kind, Span, State
from showstopper.cluster.listeners import read_feed
from showstopper.cluster.questions import Answer
from tests.availability.build import document


def answer(pod: str, **fields: Any) -> dict[str, Any]:
    still = [Span(f"{pod}/0", Kind.RESIDENT, State.LIVE, 90.0, 99.9)]
    return document([], still, pod=pod, **fields)


def test_the_pods_clock_was_read_in_the_middle_of_the_question() -> None:
    content = json.dumps(answer("a", clock=100.0)).encode()
    feed = read_feed("a", "main-stage", Answer(content, 5000.0, 5000.5))
    assert feed.offset == pytest.approx(4900.25)
    assert feed.uncertainty == pytest.approx(0.25)


def test_an_answer_of_another_pod_at_a_reused_address_is_refused() -> None:
    with pytest.raises(FeedError, match='are "b"'):
        read_feed("a", "main-stage", Answer(json.dumps(answer("b")).encode(), 0.0, 1.0))
