"""Bands: the layers of a crowd's states."""

from hypothesis import given
from hypothesis import strategies as st

from showstopper.availability.density import Density
from showstopper.availability.spans import DEAD, State
from showstopper.report import bands
from tests.availability.build import J, L, N, U

BAND = [
    Density(10.0, 12.0, {L: 4.0}),
    Density(12.0, 13.0, {L: 1.0, U: 1.0, N: 2.0}),
    Density(13.0, 15.0, {L: 2.0, J: 1.0, N: 1.0}),
]


def test_the_host_is_at_the_bottom_and_dead_air_hangs_from_the_top() -> None:
    layers = {
        state: [(part.start, part.end, part.top, part.bottom) for part in layer]
        for state, layer in bands.layers(BAND, (2.0, 4.0), 10.0)
    }
    assert layers[L] == [(0.0, 2.0, 0.0, 4.0), (2.0, 3.0, 3.0, 4.0), (3.0, 5.0, 2.0, 4.0)]
    assert layers[U][1] == (2.0, 3.0, 2.0, 3.0)
    assert layers[N] == [(0.0, 2.0, 0.0, 0.0), (2.0, 3.0, 0.0, 2.0), (3.0, 5.0, 1.0, 2.0)]
    assert layers[J][2] == (3.0, 5.0, 0.0, 1.0)


@given(st.dictionaries(st.sampled_from(list(State)), st.floats(0.5, 500.0), min_size=1))
def test_the_layers_fill_the_band(counts: dict[State, float]) -> None:
    layers = list(bands.layers([Density(0.0, 1.0, counts)], (3.0, 5.0), 0.0))
    assert [state for state, _ in layers][-len(DEAD) :] == [state for state in State if state in DEAD]
    assert sum(layer[0].height for _, layer in layers) - 5.0 < 1e-9
    assert abs(layers[-1][1][0].top - 0.5) < 1e-9


def test_where_nobody_is_nothing_is_drawn() -> None:
    assert all(
        part.height == 0 for _, layer in bands.layers([Density(0.0, 1.0, {})], (0.0, 1.0), 0.0) for part in layer
    )
