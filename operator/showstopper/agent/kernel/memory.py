"""Memory of one cgroup, version 1 or 2: its limit, what is in use, and whom the kernel has killed for want of it.

Loads next to nothing: processes that take memory must be small themselves.
"""

from dataclasses import dataclass
from pathlib import Path

MEMORY = "memory"
_NO_LIMIT = 1 << 60
"""Version 1 writes "no limit" as the largest multiple of a page."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory controller's files of a cgroup. Reading raises OSError when the cgroup is gone."""

    folder: Path

    @property
    def exists(self) -> bool:
        """Whether the cgroup is under the controller."""
        return self.unified or (self.folder / "memory.usage_in_bytes").exists()

    @property
    def unified(self) -> bool:
        """Whether it is version 2, where what happens below it counts in it, too."""
        return (self.folder / "memory.current").exists()

    @property
    def limit(self) -> int | None:
        """Bytes that it may use. None: there is no limit of its own."""
        text = self._text("memory.max" if self.unified else "memory.limit_in_bytes")
        return None if text == "max" or int(text) >= _NO_LIMIT else int(text)

    @property
    def working_set(self) -> int:
        """Bytes in use, without file pages that nothing has touched for long, as the kubelet counts (`kubectl top`)."""
        usage = int(self._text("memory.current" if self.unified else "memory.usage_in_bytes"))
        idle = self._figures("memory.stat")["inactive_file" if self.unified else "total_inactive_file"]
        return max(0, usage - idle)

    @property
    def kills(self) -> int:
        """How many of its processes the OOM killer has ended so far."""
        return self._figures("memory.events" if self.unified else "memory.oom_control")["oom_kill"]

    def _text(self, name: str) -> str:
        return (self.folder / name).read_text().strip()

    def _figures(self, name: str) -> dict[str, int]:
        return {key: int(value) for key, value in map(str.split, self._text(name).splitlines())}


def available(meminfo: Path = Path("/proc/meminfo")) -> tuple[int, int]:
    """Bytes that the node can still give without swapping, and all that it has (proc(5), MemAvailable and MemTotal)."""
    figures = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
    free, total = (int(figures[name].split()[0]) * 1024 for name in ("MemAvailable", "MemTotal"))
    return free, total
