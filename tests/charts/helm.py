"""helm as it is built with the embedded cluster."""

import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from dev.cluster import builds
from tests.support.api_server import ROOT

CHARTS = ROOT / "charts"
# Charts refuse what is older than we support, and helm alone does not know which Kubernetes is meant.
KUBERNETES = "--kube-version=1.32.0"

Object = dict[str, Any]


def helm(*arguments: str, kubeconfig: Path | None = None) -> subprocess.CompletedProcess[str]:
    """What helm said. It sees none of the user's settings, and a cluster only if it is told of one."""
    program = builds.ensure(builds.CLUSTER).parent / "helm"
    with tempfile.TemporaryDirectory() as home:
        environment = {"PATH": os.environ["PATH"], "HOME": home, "KUBECONFIG": str(kubeconfig or "/dev/null")}
        return subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)


def render(chart: str, values: Mapping[str, Any] | None = None, *options: str) -> list[Object]:
    """The objects that a chart makes of these values."""
    done = template(chart, values, *options)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def template(chart: str, values: Mapping[str, Any] | None = None, *options: str) -> subprocess.CompletedProcess[str]:
    """What `helm template` said."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump(dict(values or {}), file)
        file.flush()
        place = ["release", str(CHARTS / chart), "--namespace=there", f"--values={file.name}", KUBERNETES]
        return helm("template", *place, *options)


def one(objects: list[Object], kind: str, name: str) -> Object:
    """The only object of that kind and name."""
    (named,) = (each for each in objects if each["kind"] == kind and each["metadata"]["name"] == name)
    return named


def pod_specs(objects: list[Object]) -> dict[str, Object]:
    """Every pod that is asked for, by the name of what asks."""
    return {
        each["metadata"]["name"]: each["spec"]["template"]["spec"]
        for each in objects
        if each["kind"] in {"Deployment", "StatefulSet", "DaemonSet", "Job"}
    }
