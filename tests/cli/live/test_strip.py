"""The strip: one cell a second, dead air never hidden by sound around it."""

import pytest

from showstopper.availability.spans import DEAD, State
from showstopper.cli.live import strip
from showstopper.report import looks
from tests.availability.build import EPOCH, L, N, O, Q, U, track, view, window


def drawn(*story: tuple[State, float], columns: int = 10, end: float | None = None) -> str:
    room_view = view(story, end=end)
    return strip.draw(room_view.residents[0], room_view.window, columns).plain


def test_every_state_has_a_character_of_its_own() -> None:
    assert strip.STYLES.keys() == looks.STATES.keys() == set(State)
    assert len({look.character for look in looks.STATES.values()}) == len(State)


@pytest.mark.parametrize("state", sorted(DEAD))
def test_a_second_of_dead_air_is_one_cell(state: State) -> None:
    assert drawn((L, 4), (state, 1), (L, 5)) == "████" + looks.STATES[state].character + "█████"


def test_a_tenth_of_a_second_of_dead_air_is_shown_though_the_rest_was_heard() -> None:
    assert drawn((L, 4.3), (Q, 0.1), (L, 5.6)) == "████-█████"
    assert drawn((L, 4.3), (Q, 0.05), (L, 5.65)) == "██████████"


def test_what_made_most_of_the_dead_air_names_the_cell() -> None:
    assert drawn((L, 4), (N, 0.3), (O, 0.6), (L, 5.1)) == "████O█████"


def test_only_the_newest_seconds_are_shown() -> None:
    assert drawn((O, 90), (L, 5), columns=8) == "OOO█████"


def test_what_was_never_told_is_blank_until_something_was() -> None:
    assert drawn((U, 4), (L, 6)) == "    ██████"


def test_what_was_before_the_window_is_blank() -> None:
    assert drawn((L, 3), columns=6) == "   ███"


def test_unknown_in_the_middle_is_shown_and_at_the_end_it_is_only_on_its_way() -> None:
    assert drawn((L, 3), (U, 3), (L, 4)) == "███???████"
    assert drawn((L, 8), (U, 2)) == "████████"
    assert drawn((L, 5), (U, 5)) == "█████??"


def test_cells_stay_in_whole_seconds_as_time_goes_on() -> None:
    story = track((L, 3), (O, 1), (L, 6))
    for tenth in range(1, 10):
        seen = list(strip.cells(story, window(0, 9 + tenth / 10), 10))
        assert seen.index(O) == 3


def test_the_marker_stands_in_the_second_of_the_fault() -> None:
    line = strip.marker(EPOCH + 4.7, window(0, 10), 10, "kill").plain
    assert line.index("▼") == 4
    assert drawn((L, 4.7), (O, 5.3)).index("O") == 4


def test_a_late_marker_has_its_label_before_it_and_a_past_one_is_gone() -> None:
    late = strip.marker(EPOCH + 29.5, window(0, 30), 30, "kill-the-serving-relay").plain
    assert late.index("▼") == 29
    assert late.startswith(" ")
    assert "kill-the-serving-relay ▼" in late
    assert not strip.marker(EPOCH - 100, window(0, 30), 30, "kill").plain
    assert not strip.marker(EPOCH + 31, window(0, 30), 30, "kill").plain


def test_the_legend_explains_what_is_there_and_no_more() -> None:
    assert strip.legend({L, O}).plain.split() == ["█", "hears", "the", "host", "O", "offline"]
