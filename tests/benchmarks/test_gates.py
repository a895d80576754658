from bench import gates


def test_figures_say_their_units_and_what_they_rest_on() -> None:
    cost = gates.Cost(seconds=(0.02, 0.03, 0.05), kept_bytes=3 * 2**20, most_bytes=2**20)
    written = gates.figures([0.01, 0.02, 0.3], cost)
    assert (written["changes"], written["template_to_closed_p50_ms"], written["template_to_closed_max_ms"]) == (
        3,
        20,
        300,
    )
    assert (written["decide_p50_ms"], written["kept_mib"], written["decide_peak_mib"]) == (30, 3, 1)


def test_deciding_in_a_large_namespace_opens_the_gate() -> None:
    cost = gates.deciding_cost(1)
    assert len(cost.seconds) == 1
    assert cost.kept_bytes > cost.most_bytes > 0
