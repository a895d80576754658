"""What an archive is given: answers of listener pods, and runs as the API has them."""

from collections.abc import Iterable
from typing import Any

from showstopper.archive.writing import FeedAnswer
from showstopper.availability.feed import Feed
from showstopper.availability.spans import Span
from showstopper.clock import to_timestamp
from tests.availability.build import EPOCH, feed
from tests.support import build

NAMESPACE = "show"


def at(seconds: float) -> str:
    return to_timestamp(EPOCH + seconds)


def told(
    closed: Iterable[Span] = (), still: Iterable[Span] = (), *, namespace: str = NAMESPACE, **fields: Any
) -> FeedAnswer:
    """An answer whose spans are given on the operator's clock."""
    return answered(feed(closed, still, **fields), namespace=namespace)


def answered(answer: Feed, *, namespace: str = NAMESPACE) -> FeedAnswer:
    return FeedAnswer(namespace, answer, answer.clock + answer.offset)


def run(
    number: int = 1, *, start: float = 0.0, end: float | None = 30.0, experiment: str = "kill", **metadata: Any
) -> dict[str, Any]:
    """The resource of a run that was asked for when it began; without an end it has no verdict."""
    name = f"{experiment}-{number}"
    status = {"startedAt": at(start), "audible": "81.4%", "deadAir": "4.2s", "recovery": "6.1s"}
    if end is not None:
        status |= {"verdict": "Passed", "reason": "Passed", "finishedAt": at(end)}
    made = build.run(name, status=status, experiment={"name": experiment, "askedAt": at(start)})
    body = made.model_dump(mode="json", by_alias=True, exclude_none=True)
    body["metadata"] |= {"namespace": NAMESPACE, "uid": f"{name}-uid", **metadata}
    return body
