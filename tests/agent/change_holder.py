"""An agent's part in a change, in a process of its own: it arms, renews for ever, and says until when it holds."""

import json
import sys
import time
from pathlib import Path

from showstopper.agent.changes import Changes
from showstopper.agent.containers import Containers
from showstopper.agent.hits.process import NodeAccess, hit_of
from showstopper.api.faults.process import ProcessFault, ProcessKinds
from showstopper.api.injection import InjectionTarget, TargetState
from showstopper.clock import Clock

RENEWAL = 0.2


def hold(state: Path, target: InjectionTarget, kinds: ProcessKinds, lease: float) -> None:
    """Arm, and renew for ever."""
    fault: ProcessFault
    (fault,) = (fault for _, fault in kinds if fault is not None)
    hit = hit_of(type(fault))(fault, target, "change.test.0", NodeAccess(Containers(), Changes(state), Clock()))
    until = time.monotonic() + lease
    hit.arm(until)
    assert hit.record.state is TargetState.ARMED, hit.record
    while True:
        sys.stdout.write(json.dumps(until) + "\n")
        sys.stdout.flush()
        time.sleep(RENEWAL)
        until = time.monotonic() + lease
        hit.refresh(until)


if __name__ == "__main__":
    words = sys.argv[2:]
    hold(
        Path(sys.argv[1]),
        InjectionTarget.model_validate_json(words[0]),
        ProcessKinds.model_validate_json(words[1]),
        float(words[2]),
    )
