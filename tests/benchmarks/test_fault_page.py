from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bench import doses, fault_page, fault_pictures, fault_table, lifts
from bench.counting import between, sums
from bench.doses import Row
from bench.fault_page import BEGIN, END, Measured
from dev.cluster.errors import ClusterError
from showstopper.api.experiment import Experiment

AT = "2026-11-29, 1234567"


def run(**values: str | None) -> dict[str, Any]:
    indicators = [{"indicator": name, **({"value": value} if value else {})} for name, value in values.items()]
    windows = [{"name": "Baseline", "indicators": []}, {"name": "Judged", "indicators": indicators}]
    return {"status": {"verdict": "Passed", "reason": "ExpectationsMet", "windows": windows}}


def measured(**figures: float | None) -> Measured:
    plain: dict[str, float | None] = {**dict.fromkeys(fault_page.COLUMNS, 1.0), "recovery_at_least": None}
    return Measured("Passed ExpectationsMet", at=AT, **{**plain, **figures})


def test_the_figures_of_a_run() -> None:
    measured = fault_page.figures_of(
        run(AudibleRatio="76.4%", LongestDeadAir="9.48s", ArrivalAudible=None), AT, lost=0.0512, concealed=None
    )
    assert (measured.audible, measured.dead_air, measured.lost) == (76.4, 9.48, 5.12)
    assert (measured.arrivals, measured.recovery, measured.concealed) == (None, None, None)


def test_what_is_not_known_is_never_a_zero() -> None:
    line = fault_page.line("`delay`", "200 ms", "15s", [measured(audible=100.0, recovery=None)])
    assert "| 100 % |" in line
    assert "not known" in line


def test_a_row_of_several_runs_has_the_middle_and_the_range() -> None:
    line = fault_page.line("`podKill`", "", "", [measured(dead_air=seconds) for seconds in (9.5, 5.4, 12.0)])
    assert "9.5 s (5.4 to 12)" in line
    assert line.endswith(f"| 3 | {AT} |")


@pytest.mark.parametrize(
    ("recoveries", "cell"),
    [
        ([4.9, 5.2, 6.0], "5.2 s (4.9 to 6)"),
        ([4.9, 5.2, None], "5.2 s (4.9 to at least 50 s)"),
        ([4.9, None, None], "at least 50 s (from 4.9 s)"),
        ([None], "at least 50 s"),
    ],
)
def test_a_room_that_did_not_recover_took_longer_than_any_that_did(recoveries: list[float | None], cell: str) -> None:
    runs = [measured(recovery=each, recovery_at_least=None if each else 50.0) for each in recoveries]
    assert f"| {cell} |" in fault_page.line("`freeze`", "", "", runs)


def test_what_a_room_is_known_to_have_needed_at_least_is_kept() -> None:
    unrecovered = run(RecoveryTime=None)
    unrecovered["status"]["windows"][1]["indicators"][0]["atLeast"] = "50.0s"
    measured = fault_page.figures_of(unrecovered, AT, lost=None, concealed=None)
    assert (measured.recovery, measured.recovery_at_least) == (None, 50.0)


def test_of_a_flow_that_ends_no_packet_is_lost() -> None:
    line = fault_page.line("`podKill`", "", "", [measured(lost=0.0)], ends_flow=True)
    assert line.split(" | ")[7] == "-"
    assert fault_page.line("`delay`", "", "", [measured(lost=0.0)]).split(" | ")[7] == "0 %"


def test_a_row_whose_fault_is_not_proven_says_so() -> None:
    vain = replace(measured(audible=100.0), verdict="Inconclusive NoEffect")
    assert "| `NoEffect` | 2 |" in fault_page.line("`dnsFailure`", "", "", [vain, measured()])
    assert "| proven | 1 |" in fault_page.line("`podKill`", "", "", [measured()])


def test_only_what_is_between_the_marks_is_replaced() -> None:
    page = f"# Title\n{BEGIN}\nold\n{END}\nfoot\n"
    assert fault_page.replaced(page, "new") == f"# Title\n{BEGIN}\nnew\n{END}\nfoot\n"
    assert fault_page.replaced(fault_page.replaced(page, "a"), "new") == fault_page.replaced(page, "new")
    with pytest.raises(ValueError, match="no place for the table"):
        fault_page.replaced("# Title\n", "new")


def test_rows_that_are_not_measured_again_stay_and_one_that_is_takes_the_place_of_the_old() -> None:
    delay, kill = (fault_page.line(kind, "dose", "15s", [measured()]) for kind in ("`delay`", "`podKill`"))
    page = fault_page.replaced(f"{BEGIN}\n{END}\n", fault_page.table([delay, kill], "foot"))
    assert fault_page.lines_of(page) == {("`delay`", "dose"): delay, ("`podKill`", "dose"): kill}
    assert not fault_page.lines_of(f"{BEGIN}\n{END}\n")


def test_a_picture_is_shown_from_beside_the_page_and_every_one_is_of_a_row() -> None:
    text = fault_page.shown({"delay: 200 ms": Path("docs/faults/delay.svg")})
    assert text.endswith("\n![delay: 200 ms](faults/delay.svg)")
    assert set(fault_pictures.FOLDER.glob("*")) <= {fault_pictures.path(row) for row in doses.ROWS}


def test_a_picture_of_its_own_is_on_white() -> None:
    assert fault_pictures.alone('<svg role="img">') == '<svg style="background: #ffffff" role="img">'


def test_every_line_of_the_page_is_of_a_row() -> None:
    lines = fault_page.lines_of(Path(fault_page.PAGE).read_text())
    assert lines.keys() <= {fault_table.place(row) for row in doses.ROWS}


def document(lost: int, received: int, *, kind: str = "Resident") -> dict[str, Any]:
    figures = {"packetsLost": lost, "packetsReceived": received, "concealedSamples": 480, "totalSamples": 4800}
    return {"listeners": [{"kind": kind, **figures}]}


def test_counts_are_those_of_residents_between_two_readings() -> None:
    readings = [
        sums(1.0, [document(0, 100), document(0, 100)]),
        sums(2.0, [document(5, 145), document(5, 145), document(90, 0, kind="Arrival")]),
        sums(3.0, [document(5, 195), document(5, 195)]),
    ]
    counts = between(readings, 1.5, 1.6)
    assert counts is not None
    assert counts.lost_share == pytest.approx(0.1)
    assert counts.concealed_share is None  # nothing was played between the two
    assert between(readings, 0.5, 1.6) is None
    assert between(readings, 2.5, 3.5) is None


def test_where_more_packets_came_twice_than_were_lost_the_loss_is_not_known() -> None:
    counts = between([sums(1.0, [document(9, 100)]), sums(2.0, [document(4, 145)])], 1.5, 1.6)
    assert counts is not None
    assert counts.lost_share is None


@pytest.mark.parametrize("row", doses.ROWS, ids=lambda row: row.name)
def test_every_row_is_an_experiment(row: Row) -> None:
    Experiment.parse(fault_table.experiment(row, "1"))


def test_the_faults_of_the_lift_bench_are_an_experiment() -> None:
    for number in range(3):
        Experiment.parse(lifts.experiment("1", lifts.chosen(number)))


def test_rows_are_chosen_by_name() -> None:
    assert [row.name for row in fault_table.chosen("delay,loss-5")] == ["loss-5", "delay"]
    assert len(fault_table.chosen("")) == len(doses.ROWS)
    with pytest.raises(ClusterError, match="there is no row what; there are: loss-5"):
        fault_table.chosen("what")
