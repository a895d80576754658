import pytest

from showstopper.audio.lag import BLIND_SECONDS, TICK_SECONDS, Lag


def test_the_worst_lag_of_the_last_second_counts() -> None:
    lag = Lag(lambda start, end: None)
    for tick in range(20):
        late = 0.1 if tick == 5 else 0.001
        lag.woke(tick * 0.05, tick * 0.05 + TICK_SECONDS + late)
    assert lag.worst(1.0) == pytest.approx(0.1)
    assert lag.worst(1.7) == pytest.approx(0.001)
    assert lag.worst(9.0) == 0


@pytest.mark.parametrize(("late", "blind"), [(BLIND_SECONDS - 0.01, False), (BLIND_SECONDS + 0.01, True)])
def test_a_loop_that_stood_still_could_not_see(late: float, blind: bool) -> None:
    seen: list[tuple[float, float]] = []
    Lag(lambda start, end: seen.append((start, end))).woke(10.0, 10.0 + TICK_SECONDS + late)
    assert seen == ([(10.0, 10.0 + TICK_SECONDS + late)] if blind else [])
