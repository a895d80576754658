"""The plan that process 1 reads is the one that the supervisor wrote."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from dev.cluster import init, snapshot
from dev.cluster.init import Plan, Service


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    services = [Service("containerd", ["containerd"], "/log"), Service("kubelet", ["k", "--x"], "/log2", needs="/sock")]
    plan = Plan("node1", [("/a", "/b")], services)
    (tmp_path / "plan.json").write_text(json.dumps(asdict(plan)))
    assert init.read_plan(tmp_path / "plan.json") == plan


def test_process_1_needs_the_standard_library_alone() -> None:
    for module in ("init", "launch"):
        text = (Path(init.__file__).parent / f"{module}.py").read_text()
        assert "from dev" not in text
        assert "import dev" not in text


def test_a_snapshot_leaves_out_itself_and_its_ancestors() -> None:
    look = "from dev.cluster import snapshot; print(*snapshot.processes(), sep='\\n')"
    shell = ["sh", "-c", '"$@"; true', "an-ancestor", sys.executable, "-c", look, "the-looker"]
    seen = subprocess.run(shell, check=True, capture_output=True, text=True).stdout
    assert seen
    assert "an-ancestor" not in seen
    assert "the-looker" not in seen
    assert "/proc" in "\n".join(snapshot.mounts())
