"""What the tests need beyond the cluster: a codec, Redis, LiveKit and PostgreSQL on loopback, tools, a browser."""

from __future__ import annotations

import subprocess
import sys
import sysconfig

from dev.cluster import builds, endings, packages
from dev.cluster.packages import SYSTEMD, Need

LIBRARIES = f"/usr/lib/{sysconfig.get_config_var('MULTIARCH')}"

TO_TEST = (
    Need(f"{LIBRARIES}/libopus.so.0", "libopus0"),  # the codec: a crowd decodes with it, and tests encode
    Need("redis-server", "redis-server"),  # where relays meet
    Need("ip", "iproute2"),  # network namespaces of the tests' own
    Need("nft", "nftables"),  # what is in them, seen from outside
    Need(f"{LIBRARIES}/libnftables.so.1", "libnftables1"),  # how the agent puts it there
    Need("/usr/lib/postgresql/15/bin/postgres", "postgresql-15"),  # the archive's other database
    Need("setpriv", "util-linux"),  # a flooder without any capability
    Need("chromium", "chromium"),  # opens reports
    Need(
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf", "fonts-dejavu-core"
    ),  # what their pictures are measured with
)


def ensure() -> None:
    """Have all of it: install on Debian what is missing, saying which packages. Build LiveKit once."""
    new = {need.package for need in packages.missing(TO_TEST)}
    packages.ensure(TO_TEST)
    for package, service in (("redis-server", "redis-server.service"), ("postgresql-15", "postgresql.service")):
        if package in new and SYSTEMD.is_dir():
            # it came with our install: without this it would run now and at each boot
            subprocess.run(["systemctl", "disable", "--now", service], check=False, capture_output=True)
    builds.ensure(builds.LIVEKIT)


if __name__ == "__main__":
    sys.exit(endings.run(ensure))
