"""Previews: every rule, queue and class of a plan, in words or as it is."""

from datetime import timedelta

from hypothesis import given

from showstopper.api.faults.network import Bandwidth, Delay, Direction, PacketLoss
from showstopper.api.schema.quantities import Share
from showstopper.faults.network import text
from showstopper.faults.network.behaviour import plan_of
from showstopper.faults.network.plan import Method
from showstopper.faults.network.preview import lines
from showstopper.faults.network.traffic import NetworkEffect, Traffic
from tests.faults.network.build import ETH0, effects


@given(effects())
def test_shows_all_of_a_plan(effect: NetworkEffect) -> None:
    plan = plan_of(effect, ETH0, 1, Method.NFQUEUE_XT)
    shown = lines(plan)
    foreign = [rule for queue in plan.queues for rule in queue.foreign_rules]
    commands = [line for line in shown if line.startswith("nft: ")]
    assert commands[: len(plan.commands)] == [f"nft: {text.line(command)}" for command in plan.commands]
    assert len(commands) == len(plan.commands) + len(foreign)
    assert len([line for line in shown if line.startswith("tc: ")]) == len(plan.traffic_classes)
    assert len([line for line in shown if line.startswith("queue ")]) == len(plan.queues)


def test_says_it_in_words() -> None:
    def first(effect: NetworkEffect, method: Method) -> str:
        return lines(plan_of(effect, ETH0, 1, method))[0]

    late = NetworkEffect(
        "late", Traffic(), Delay(latency=timedelta(milliseconds=100), jitter=timedelta(milliseconds=20))
    )
    narrow = NetworkEffect("narrow", Traffic(Direction.EGRESS), Bandwidth(rate="1Mbit"))
    bursts = NetworkEffect("bursts", Traffic(), PacketLoss(percent=Share(0.1), burst=timedelta(milliseconds=60)))
    assert first(late, Method.NFQUEUE) == (
        "queue 21250 (Ingress): delay 100 ms ± 20 ms; packets pass it when nobody listens"
    )
    assert first(late, Method.NETEM) == (
        "tc: class 5353:2 at showstopper0002 for what comes in by eth0: delay 100 ms ± 20 ms"
    )
    assert first(narrow, Method.NFQUEUE) == (
        "tc: class 5353:3 at showstopper0002 for what goes out by eth0: 1000000 bit/s, backlog of 50 ms"
    )
    assert first(bursts, Method.NFQUEUE) == "bursts of 60 ms, 10.000% of the time"
