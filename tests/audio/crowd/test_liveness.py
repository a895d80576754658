from showstopper.audio.crowd.liveness import Liveness
from showstopper.audio.crowd.refusals import Loss
from showstopper.audio.crowd.rules import FAILED_SECONDS


def test_pings_follow_the_join_every_five_seconds_in_its_phase() -> None:
    liveness = Liveness(2)
    liveness.began(0, 100.0, 15.0)
    liveness.began(1, 102.0, 15.0)
    pings = [(second, slot) for second in range(100, 120) for slot in liveness.to_ping(float(second))]
    assert pings == [(105, 0), (107, 1), (110, 0), (112, 1), (115, 0), (117, 1)]


def test_who_missed_pings_sends_one_and_keeps_its_phase() -> None:
    liveness = Liveness(1)
    liveness.began(0, 100.0, 15.0)
    assert liveness.to_ping(123.0) == [0]
    assert liveness.to_ping(124.9) == []
    assert liveness.to_ping(125.0) == [0]


def test_a_silent_transport_and_a_silent_server_lose_a_session() -> None:
    liveness = Liveness(3)
    for slot in range(3):
        liveness.began(slot, 0.0, 15.0)
    assert liveness.present == 3
    liveness.datagrams([0], 10.0)
    liveness.signal(1, 10.0)
    assert liveness.lost(FAILED_SECONDS) == {}
    assert liveness.lost(15.0) == {1: Loss.TRANSPORT_FAILED, 2: Loss.TRANSPORT_FAILED}
    assert liveness.lost(15.1) == {
        0: Loss.PING_TIMEOUT,
        1: Loss.TRANSPORT_FAILED,
        2: Loss.PING_TIMEOUT,
    }


def test_a_slot_without_a_session_is_never_lost_and_never_pings() -> None:
    liveness = Liveness(2)
    liveness.began(0, 0.0, 15.0)
    liveness.ended(0)
    liveness.datagrams([0, 1], 1.0)
    liveness.signal(1, 1.0)
    assert liveness.lost(1e9) == {}
    assert liveness.to_ping(1e9) == []
    assert liveness.present == 0
    assert not liveness.datagram_since(0, 0.0)


def test_a_stall_of_our_own_loses_nobody() -> None:
    liveness = Liveness(1)
    liveness.began(0, 0.0, 15.0)
    liveness.stood_still(30.0)
    assert liveness.lost(31.0) == {}
    assert liveness.lost(46.0) != {}


def test_a_resumed_session_is_alive_once_something_came_over_its_transport() -> None:
    liveness = Liveness(1)
    liveness.began(0, 5.0, 15.0)
    assert not liveness.datagram_since(0, 5.0)
    liveness.datagrams([0], 5.1)
    assert liveness.datagram_since(0, 5.0)
