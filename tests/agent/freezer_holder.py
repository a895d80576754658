"""An agent's part in a freeze, in a process of its own: it freezes, renews for ever, and says until when it holds."""

import json
import sys
import time
from pathlib import Path

from showstopper.agent.containers import Containers
from showstopper.agent.frozen import FrozenCgroups
from showstopper.agent.hits.freeze import FreezeHit
from showstopper.api.injection import InjectionTarget, TargetState
from showstopper.clock import Clock

LEASE = 0.8
RENEWAL = 0.2


def hold(state: Path, target: InjectionTarget) -> None:
    """Freeze, and renew for ever."""
    hit = FreezeHit(target, "freeze.test.0", containers=Containers(), frozen=FrozenCgroups(state), clock=Clock())
    until = time.monotonic() + LEASE
    hit.arm(until)
    assert hit.record.state is TargetState.ARMED, hit.record
    while True:
        sys.stdout.write(json.dumps(until) + "\n")
        sys.stdout.flush()
        time.sleep(RENEWAL)
        until = time.monotonic() + LEASE
        hit.refresh(until)


if __name__ == "__main__":
    hold(Path(sys.argv[1]), InjectionTarget.model_validate_json(sys.argv[2]))
