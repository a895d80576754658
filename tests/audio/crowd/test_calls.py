import errno
import math

import pytest

from showstopper.audio.crowd import calls
from showstopper.audio.crowd.access import Access
from showstopper.audio.crowd.diary import Marks
from showstopper.audio.crowd.refusals import Refusal, Refused

ACCESS = Access.to("ws://relay:7880")
TOO_LATE = Refused(Refusal.TIMED_OUT, "no answer")


@pytest.mark.parametrize(
    ("raised", "reason", "says"),
    [
        (TimeoutError(), Refusal.TIMED_OUT, "no answer"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), Refusal.UNREACHABLE, "ws://relay:7880"),
        (OSError(errno.EMFILE, "too many open files"), Refusal.INSTRUMENT, "too many open files"),
        (Refused(Refusal.NOT_FOUND, "HTTP 404"), Refusal.NOT_FOUND, "HTTP 404"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_whatever_goes_wrong_is_refused_with_its_reason(raised: Exception, reason: Refusal, says: str) -> None:
    with pytest.raises(Refused, match=says) as refused, calls.refusing(ACCESS, lambda: TOO_LATE):
        raise raised
    assert refused.value.reason is reason


def test_a_defect_stays_one() -> None:
    with pytest.raises(KeyError), calls.refusing(ACCESS, lambda: TOO_LATE):
        raise KeyError("a defect")


@pytest.mark.parametrize(("upgraded", "says"), [(math.nan, "no answer to the join"), (1.0, "took the connection")])
def test_who_is_not_let_in_in_time_says_how_far_it_got(upgraded: float, says: str) -> None:
    assert says in str(calls.not_let_in(Marks(called=0.0, upgraded=upgraded)))
