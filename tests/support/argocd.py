"""What Argo CD needs to know of our resources, in its own layout: `python -m tests.support.argocd` (or `make argocd`).

health.lua in the chart is the one source. Written from it: the keys of argocd-cm, and per kind the folder that Argo CD
itself would carry, with a test case for every state that the operator writes (tests/support/states.py).
"""

from __future__ import annotations

import re

import yaml

from dev.cluster import paths
from showstopper.api.schema.base import GROUP
from tests.support import states
from tests.support.states import DONE, FAILED, HELD, WAITING, Case

HEALTH = paths.PROJECT / "charts" / "showstopper" / "files" / "argocd" / "health.lua"
FOLDER = paths.PROJECT / "examples" / "gitops" / "argocd"
MEANS = {WAITING: "Progressing", DONE: "Healthy", FAILED: "Degraded", HELD: "Suspended"}
HEADER = "# Written by `make argocd` from charts/showstopper/files/argocd/health.lua: change that.\n"


def files() -> dict[str, str]:
    """The text of every file by its path in examples/gitops/argocd."""
    script, cases = HEALTH.read_text(), states.every()
    kinds = sorted({case.body["kind"] for case in cases})
    texts = {"argocd-cm.yaml": HEADER + _dump(_config_map(kinds, script))}
    for kind in kinds:
        folder, own = f"resource_customizations/{GROUP}/{kind}", [case for case in cases if case.body["kind"] == kind]
        texts[f"{folder}/health.lua"] = script
        texts[f"{folder}/health_test.yaml"] = _dump({"tests": [_test(case) for case in own]})
        texts |= {f"{folder}/{_data(case)}": _dump(case.body) for case in own}
    return texts


def _config_map(kinds: list[str], script: str) -> dict[str, object]:
    keys = {f"resource.customizations.health.{GROUP}_{kind}": script for kind in kinds}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"}, "data": keys}


def _test(case: Case) -> dict[str, object]:
    ready = next((entry for entry in case.body["status"].get("conditions", []) if entry["type"] == "Ready"), None)
    current = case.body["status"]["observedGeneration"] == case.body["metadata"]["generation"]
    message = ready["message"] if ready and current else "Waiting for the operator to look at it"
    if "deletionTimestamp" in case.body["metadata"]:
        message = "Being deleted"
    return {"healthStatus": {"status": MEANS[case.means], "message": message}, "inputPath": _data(case)}


def _data(case: Case) -> str:
    return f"testdata/{re.sub('[^a-z0-9]+', '-', case.name.partition(': ')[2].lower())}.yaml"


def _dump(body: object) -> str:
    class Dumper(yaml.SafeDumper):
        """Scripts as blocks, as people read them."""

    def text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, text)
    return yaml.dump(body, Dumper=Dumper, sort_keys=False, width=120, allow_unicode=True)


def main() -> None:
    """Write the files."""
    for path, content in files().items():
        place = FOLDER / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)


if __name__ == "__main__":
    main()
