"""The environment of a flooder that is as it should be, for tests that change one thing of it."""

from datetime import UTC, datetime, timedelta

from showstopper.faults.flood import settings as names

NOW = datetime(2026, 1, 31, 20, 0, tzinfo=UTC)
GOOD = {
    names.TARGETS: "198.18.210.2:7882",
    names.WITHIN: "198.18.210.0/24",
    names.SHAPE: "RTP",
    names.SIZE: "172",
    names.RATE: "1000",
    names.SOURCES: "1",
    names.SECONDS: "5",
    names.PACKETS: "5000",
    names.GATE: "none",
    names.END: (NOW + timedelta(seconds=30)).isoformat(),
}
