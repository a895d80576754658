"""What the machine that runs these tests can be asked for; the tests are the same on all of them.

A slow one (`make test-netem`: no hardware helps its processor) says so by these settings. Numbers of packets, shares
and all other bounds stay as they are.
"""

import os

MOST_PER_SECOND = int(os.environ.get("SHOWSTOPPER_TEST_PACKETS_PER_SECOND") or 20_000)
"""No test sends faster, whatever it asks for."""

LATE_MILLISECONDS = float(os.environ.get("SHOWSTOPPER_TEST_LATE_MS") or 15)
"""How much later than it should the 99th percentile of delayed packets may come."""

METHOD = os.environ.get("SHOWSTOPPER_TEST_METHOD")
"""How this machine must hold packets back; None: as the probe finds."""


def pace(per_second: int) -> int:
    """The rate that a test gets for the rate that it asks for."""
    return min(per_second, MOST_PER_SECOND)
