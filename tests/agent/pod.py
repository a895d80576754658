"""A pod of tests: a process in a network namespace, and a /proc that says of which pod it is."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

UID = "0d5e0b9e-6a5b-4c1f-9d0c-3f1f6c1f2a11"


@dataclass
class Pod:
    """Its UID, and the /proc in which it is found."""

    uid: str
    proc: Path
    process: subprocess.Popen[bytes]

    def kill(self) -> None:
        """End its process."""
        self.process.kill()
        self.process.wait()


@contextmanager
def pod_in(namespace: Path, proc: Path, uid: str = UID) -> Iterator[Pod]:
    """A pod in a namespace: all that /proc says is true, but for the cgroup."""
    with subprocess.Popen(["ip", "netns", "exec", namespace.name, "sleep", "600"]) as process:
        try:
            for pid in ("1", str(process.pid)):
                (proc / pid).mkdir(parents=True)
                for name in ("ns", "net", "stat"):
                    (proc / pid / name).symlink_to(f"/proc/{pid}/{name}")
            (proc / "1" / "cgroup").write_text("0::/init.scope\n")
            (proc / str(process.pid) / "cgroup").write_text(f"0::/kubepods/burstable/pod{uid}/0123456789ab\n")
            yield Pod(uid, proc, process)
        finally:
            process.kill()
