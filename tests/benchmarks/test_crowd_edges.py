from bench.crowd_edges import Edges, compare, figures
from bench.packets import Gap
from showstopper.availability.spans import Window


def gap(start: float, end: float) -> Gap:
    return Gap(start, end, missing=end - start)


def test_a_pause_is_compared_with_its_gap_at_both_edges() -> None:
    edges = compare([gap(1.0, 3.0), gap(9.0, 10.0)], [Window(1.25, 3.0), Window(9.0, 10.5)])
    assert edges == Edges(differences=(0.25, 0.0, 0.0, 0.5), missed=0, invented=0)


def test_a_long_gap_without_a_pause_is_missed_and_a_pause_without_a_gap_is_invented() -> None:
    assert compare([gap(1.0, 1.5)], []) == Edges((), missed=1, invented=0)
    assert compare([gap(1.0, 1.25)], []) == Edges((), missed=0, invented=0)
    assert compare([], [Window(1.0, 1.25)]) == Edges((), missed=0, invented=1)


def test_a_gap_in_two_parts_is_missed_and_nothing_is_invented() -> None:
    assert compare([gap(1.0, 3.0)], [Window(1.0, 1.5), Window(2.5, 3.0)]) == Edges((), missed=1, invented=0)


def test_figures_are_of_all_listeners_and_none_where_nothing_happened() -> None:
    told = figures([Edges((0.001, 0.003), 1, 0), Edges((0.002, 0.0), 0, 2)])
    assert told["crowd_edges"] == 4
    assert told["crowd_edges_max_ms"] == 3.0
    assert (told["crowd_missed"], told["crowd_invented"]) == (1, 2)
    assert figures([])["crowd_edges_p95_ms"] is None
