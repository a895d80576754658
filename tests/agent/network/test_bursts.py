"""Bursts that stop are told, so that the fault does not stand without them."""

import threading
from datetime import timedelta

from showstopper.agent.network.bursts import BurstThread
from showstopper.api.schema.quantities import Share
from showstopper.errors import KernelRefused
from showstopper.faults.network.plan import Bursts

OFTEN = Bursts(timedelta(milliseconds=1), Share(0.5))


def test_a_burst_that_fails_is_told() -> None:
    failed = threading.Event()

    def burst(_: int) -> None:
        failed.set()
        raise KernelRefused("no buffer space")

    pulse = BurstThread(OFTEN, burst, lambda: False)
    assert failed.wait(10)
    pulse.stop()
    assert pulse.problem == "no buffer space"


def test_bursts_that_go_on_or_were_stopped_have_no_problem() -> None:
    pulse = BurstThread(OFTEN, lambda _: None, lambda: False)
    assert pulse.problem == ""
    pulse.stop()
    assert pulse.problem == ""


def test_bursts_whose_lease_has_run_out_have_no_problem() -> None:
    over = threading.Event()
    pulse = BurstThread(OFTEN, lambda _: over.set(), over.is_set)
    assert over.wait(10)
    pulse.stop()
    assert pulse.problem == ""
