"""The bench of dead air: which silence is a run's, and what is said of several."""

from bench.dead_air import Silence, experiment, figures, silence
from showstopper.api.experiment import Experiment
from showstopper.availability.spans import Kind, Span, State

ACCEPTED = 1000.0


def heard(*stretches: tuple[State, float, float]) -> list[Span]:
    return [Span("p-0/0", Kind.RESIDENT, state, ACCEPTED + start, ACCEPTED + end) for state, start, end in stretches]


def test_it_is_an_experiment() -> None:
    Experiment.parse(experiment("1"))


def test_the_first_and_the_last_who_hears_silence_after_the_apply() -> None:
    early = heard((State.SILENT, -9, -7), (State.LIVE, -7, 0.2), (State.SILENT, 0.2, 2.2), (State.LIVE, 2.2, 4))
    late = heard((State.LIVE, -9, 0.3), (State.SILENT, 0.3, 2.2), (State.LIVE, 2.2, 4), (State.SILENT, 9, 10))
    heard_silence = silence(ACCEPTED, [early, late])
    assert (heard_silence.first, heard_silence.last) == (ACCEPTED + 0.2, ACCEPTED + 0.3)


def test_a_run_in_which_nobody_heard_silence_is_counted() -> None:
    nothing = silence(ACCEPTED, [heard((State.LIVE, -9, 4))])
    results = figures([nothing, Silence(ACCEPTED, ACCEPTED + 0.25, ACCEPTED + 0.5)])
    assert (results["runs"], results["runs_without_silence"]) == (2, 1)
    assert (results["dead_air_p50_ms"], results["everybody_p50_ms"]) == (250.0, 500.0)
