"""What the examples ask for, as the operator hashes it: `python -m tests.support.digests` writes it down."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import yaml

from dev.cluster import paths
from showstopper.api.experiment import Experiment
from showstopper.api.game_day import GameDay
from showstopper.api.schema.base import GROUP
from showstopper.engine.days import programme
from showstopper.engine.runs import requests

FILE = paths.PROJECT / "tests" / "engine" / "digests.json"
EXAMPLES = paths.PROJECT / "examples"


def examples() -> dict[str, dict[str, str]]:
    """By file and name: the hash of the spec as it is written, and the digest by which a run of it is known."""
    return dict(_examples())


def written() -> dict[str, dict[str, str]]:
    """The same as it was when it was written down."""
    content: dict[str, dict[str, str]] = json.loads(FILE.read_text())
    return content


def _examples() -> Iterator[tuple[str, dict[str, str]]]:
    for path in sorted(EXAMPLES.rglob("*.yaml")):
        for body in yaml.safe_load_all(path.read_text()):
            if not isinstance(body, dict) or not str(body.get("apiVersion")).startswith(f"{GROUP}/"):
                continue
            body["metadata"].setdefault("namespace", "show")
            if body["kind"] == "Experiment":
                digest = requests.wanted(Experiment.parse(body)).hash
            elif body["kind"] == "GameDay":
                digest = programme.digest(GameDay.parse(body))
            else:
                continue
            name = f"{path.relative_to(EXAMPLES)} {body['kind']} {body['metadata']['name']}"
            spec = json.dumps(body["spec"], sort_keys=True, default=str)
            yield name, {"spec": hashlib.sha256(spec.encode()).hexdigest()[:16], "digest": digest}


if __name__ == "__main__":
    FILE.write_text(json.dumps(examples(), indent=2, sort_keys=True) + "\n")
