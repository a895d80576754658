"""Judges: what GitOps tools make of an object, by their own libraries."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dev.cluster import builds, commands

PROGRAM = builds.Program("judges", Path(__file__).parent, ".", expected="about 2 minutes on two cores")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the three make of an object.

    Attributes:
        kstatus: InProgress, Failed, Current, Terminating, NotFound or Unknown.
        argocd: Progressing, Degraded, Healthy or Suspended. Empty if a hook would be green.
        flux: InProgress, Failed or Current, or the error that a check would wait out.
    """

    kstatus: str
    argocd: str
    flux: str


def ensure() -> Path:
    """The program. It is built now if the cache does not have it."""
    return builds.ensure(PROGRAM)


def judge(objects: Iterable[Mapping[str, Any]], *, lua: str, flux: Mapping[str, Mapping[str, str]]) -> list[Judgement]:
    """Of each object: by kstatus, by this health script, and by its kind's expressions."""
    questions = [{"object": each, "lua": lua, "flux": flux[each["kind"]]} for each in objects]
    return [
        Judgement(answer["kstatus"], answer.get("argocd", {}).get("status", ""), answer.get("flux", ""))
        for answer in _ask(questions)
    ]


def kstatus(objects: Iterable[Mapping[str, Any]]) -> list[str]:
    """Of each object, by kstatus alone."""
    return [str(answer["kstatus"]) for answer in _ask({"object": each} for each in objects)]


def _ask(questions: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    lines = "\n".join(json.dumps(each) for each in questions)
    answers = commands.run([str(ensure())], stdin=lines + "\n")
    return [json.loads(answer) for answer in answers.splitlines()]
