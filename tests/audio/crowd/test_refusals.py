import errno

import pytest

from showstopper.audio.crowd.refusals import FINAL, Refusal, Refused


@pytest.mark.parametrize(
    ("status", "reason"),
    [(401, Refusal.UNAUTHORIZED), (403, Refusal.UNAUTHORIZED), (404, Refusal.NOT_FOUND), (503, Refusal.UNAVAILABLE)]
    + [(status, Refusal.HTTP) for status in (200, 302, 429, 500)],
)
def test_http_says_why(status: int, reason: Refusal) -> None:
    refused = Refused.by_http(status, " no permissions to access the room \n" + "x" * 1000)
    assert refused.reason is reason
    assert str(refused).startswith(f"HTTP {status} no permissions to access the room")
    assert len(str(refused)) < 300
    assert (reason in FINAL) is (status in (401, 403))


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ECONNREFUSED, Refusal.UNREACHABLE),
        (errno.EHOSTUNREACH, Refusal.UNREACHABLE),
        (errno.EMFILE, Refusal.INSTRUMENT),
        (errno.EADDRNOTAVAIL, Refusal.INSTRUMENT),
    ],
)
def test_what_this_process_lacks_says_nothing_of_the_room(number: int, reason: Refusal) -> None:
    assert Refused.by_system(OSError(number, "x"), "ws://relay:7880").reason is reason
