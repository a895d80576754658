"""The embedded cluster's commands: ``python -m dev.cluster up``."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import Annotated

import typer

from dev.cluster import endings, errors, images, paths, snapshot, stores, supervisor

app = typer.Typer(no_args_is_help=True, add_completion=False, help="A real two-node Kubernetes on this one machine.")


@app.command()
def up() -> None:
    """Start the cluster. Nothing happens when it runs already."""
    supervisor.up()
    print(f"export KUBECONFIG={paths.kubeconfig()}")


@app.command()
def down() -> None:
    """Take the cluster down and remove everything that it brought onto this machine. Caches stay."""
    supervisor.down()


@app.command()
def kubeconfig() -> None:
    """Print the path of the administrator's kubeconfig."""
    if not paths.kubeconfig().exists():
        raise errors.MissingError("no cluster runs: start it with `make cluster`")
    print(paths.kubeconfig())


@app.command()
def status() -> None:
    """Say what runs. Ends with 1 unless the cluster is whole."""
    health = supervisor.health()
    print(f"running: {', '.join(health.members) or 'nothing'}")
    print(f"API server: {'ready' if health.api_ready else 'not ready'}")
    print(f"nodes ready: {', '.join(health.nodes) or 'none'}")
    raise typer.Exit(0 if health.whole else 1)


@app.command(name="images")
def build_images(
    load: Annotated[bool, typer.Option(help="also load them into the nodes of the running cluster")] = True,
) -> None:
    """Build the images whose sources changed, load them into the nodes, and print their names."""
    built = [images.ensure(recipe) for recipe in images.STAGE]
    if load and supervisor.health().whole:
        stores.load(built)
    for image in built:
        print(image.reference)


@app.command(name="snapshot")
def take_snapshot(
    compare: Annotated[Path | None, typer.Option(help="an earlier snapshot; print what differs, end with 1")] = None,
) -> None:
    """Print processes, mounts, namespaces, links, routes, cgroups and packet filter rules of this machine."""
    now = snapshot.take()
    if compare is None:
        print(now)
        return
    lines = difflib.unified_diff(compare.read_text().splitlines(), now.splitlines(), "before", "now", lineterm="", n=0)
    difference = "\n".join(lines)
    print(difference or "no difference")
    raise typer.Exit(1 if difference else 0)


if __name__ == "__main__":
    sys.exit(endings.run(app))
