"""The hands of a run as one: what one of them cannot do keeps no other from it."""

from collections.abc import Collection
from typing import Any, cast

import pytest

from showstopper.api.run import ExperimentRun
from showstopper.engine.hands.of_run import Hands
from showstopper.errors import AgentsDisabled
from tests.support import build
from tests.support.stub_agent import LOSS

DOWN = {"name": "down", "target": {"component": "relay"}, "scaleDown": {"replicas": 1}, "duration": "5s"}


class StubHand:
    """A hand that says what it was asked to lift, or why it cannot."""

    def __init__(self, problem: Exception | None = None) -> None:
        self.lifted: set[str] = set()
        self._problem = problem

    async def lift(self, run: ExperimentRun, faults: Collection[str], *, late: bool = False) -> None:
        if self._problem is not None:
            raise self._problem
        self.lifted |= set(faults)


async def test_what_the_operator_has_changed_is_put_back_also_where_agents_cannot_be_asked() -> None:
    agents, api_server = StubHand(AgentsDisabled("no rights")), StubHand()
    hands = Hands(
        api_server=cast("Any", api_server),
        agents=cast("Any", agents),
        crowd=cast("Any", StubHand()),
        stage=cast("Any", StubHand()),
        asked=cast("Any", None),
    )
    with pytest.raises(AgentsDisabled):
        await hands.lift(build.run(faults=[LOSS, DOWN]), {"loss", "down"})
    assert api_server.lifted == {"loss", "down"}
