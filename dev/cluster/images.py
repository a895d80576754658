"""Our images: what each is made of, and its tag, which is a hash of just that."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from dev.cluster import builds, engine, errors, lock, oci, paths, progress, wheels

REGISTRY = "showstopper.local"
"""A name that no resolver knows: what is not in a node's store is never asked of anybody."""

SOURCES = paths.PROJECT / "images"
PROJECT_FILES = ("pyproject.toml", "README.md", "LICENSE")
KEPT_TAGS = 5
"""How many of each image stay in the cache: a changed source may be changed back."""


PATIENCE = 10
"""How often sources are read again that change while they are read."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image in the cache."""

    name: str
    tag: str

    @property
    def reference(self) -> str:
        """Its full name with its tag."""
        return f"{REGISTRY}/{self.name}:{self.tag}"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How an image is made: what goes into its tag, and what its build context must hold."""

    name: str
    inputs: Callable[[], Iterable[bytes]]
    prepare: Callable[[Path], None]
    on_debian: bool = True
    shared: str = ""
    """The folder of a Dockerfile that makes several images, each by a target of its name. Empty if it has its own."""

    @property
    def dockerfile(self) -> Path:
        """Its Dockerfile."""
        return SOURCES / (self.shared or self.name) / "Dockerfile"

    @property
    def target(self) -> str:
        """The stage of the Dockerfile that is this image. Empty for its last one."""
        return self.name if self.shared else ""


def ensure(recipe: Recipe) -> Image:
    """The image in the cache. It is built now if it is not there."""
    builder = engine.find()
    with lock.held("images"):
        image, context = _prepare(recipe, builder, lambda image: image.reference in oci.references(layout()))
        if context is not None:
            with progress.step(f"Building the image {image.reference} with {builder.name}") as step:
                _build(recipe, image, builder, context)
                step.say("copying its new layers")
                builder.export(image.reference, layout())
                step.say("forgetting old images")
                for reference in oci.keep(layout(), newest):
                    builder.forget(reference)
    return image


def ensure_in(builder: engine.Docker, recipe: Recipe) -> Image:
    """The image in the engine's own store, for clusters that are filled from there. Built now if it is missing."""
    with lock.held("images"):
        image, context = _prepare(recipe, builder, lambda image: builder.has(image.reference))
        if context is not None:
            with progress.step(f"Building the image {image.reference} with {builder.name}"):
                _build(recipe, image, builder, context)
    return image


def layout() -> Path:
    """The folder with all images, as an OCI layout."""
    return paths.cache() / "images"


def newest(references: list[str]) -> list[str]:
    """The images to keep: the newest of each name. Oldest first in, and out."""
    by_name: dict[str, list[str]] = {}
    for reference in references:
        by_name.setdefault(reference.rpartition(":")[0], []).append(reference)
    return [reference for named in by_name.values() for reference in named[-KEPT_TAGS:]]


def tag(recipe: Recipe, base_key: str) -> str:
    """The hash of everything that the image is made of."""
    digest = hashlib.sha256(base_key.encode())
    for part in (recipe.dockerfile.read_bytes(), *recipe.inputs()):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:12]


def _prepare(recipe: Recipe, builder: engine.Engine, there: Callable[[Image], bool]) -> tuple[Image, Path | None]:
    """The image of the sources as they are, and what to build it from. None when it is there."""
    for _ in range(PATIENCE):
        image = Image(recipe.name, tag(recipe, builder.base_key() if recipe.on_debian else ""))
        if there(image):
            return image, None
        context = paths.cache() / "contexts" / recipe.name
        shutil.rmtree(context, ignore_errors=True)
        context.mkdir(parents=True)
        shutil.copy(recipe.dockerfile, context)
        recipe.prepare(context)
        if image.tag == tag(recipe, builder.base_key() if recipe.on_debian else ""):
            return image, context
        # an edit came in between: under this tag there would be something else than what it is the hash of
    raise errors.ConflictError(f"the sources of the image {recipe.name} change all the time; try again when they rest")


def _build(recipe: Recipe, image: Image, builder: engine.Engine, context: Path) -> None:
    arguments = {"BASE": builder.base()} if recipe.on_debian else {}
    builder.build(context / "Dockerfile", context, image.reference, arguments, recipe.target)


def _files(paths_: Iterable[Path]) -> list[bytes]:
    files = [path for path in sorted(paths_) if path.is_file() and "__pycache__" not in path.parts]
    return [part for path in files for part in (str(path.relative_to(paths.PROJECT)).encode(), path.read_bytes())]


def _project_inputs(*requirements: str) -> list[bytes]:
    named = [paths.PROJECT / name for name in (*PROJECT_FILES, *requirements)]
    return _files([*named, *(paths.PROJECT / "operator").rglob("*")])


def _prepare_project(context: Path, *requirements: str) -> None:
    wheels.build_project(context / "project")
    for name in requirements:
        file = paths.PROJECT / name
        shutil.copy(file, context)
        # the same content must look the same to the builder's cache of layers, so the dates are the cache's
        shutil.copytree(wheels.fetch(file), context / "wheels" / file.stem)


def _nothing(_context: Path) -> None:
    """Debian has all of it."""


def of_program(name: str, program: builds.Program) -> Recipe:
    """The image of that name with a Go program in it, and nothing else."""

    def inputs() -> list[bytes]:
        return [builds.key(program, builds.go_version(builds.find_go())).encode()]

    def prepare(context: Path) -> None:
        shutil.copy(builds.ensure(program), context / program.name)

    return Recipe(name, inputs, prepare, on_debian=False)


CONTROL = Recipe(
    "control",
    lambda: _project_inputs("requirements.txt"),
    lambda context: _prepare_project(context, "requirements.txt"),
    shared="showstopper",
)
AUDIO = Recipe(
    "audio",
    lambda: _project_inputs("requirements.txt", "requirements-audio.txt"),
    lambda context: _prepare_project(context, "requirements.txt", "requirements-audio.txt"),
    shared="showstopper",
)
LIVEKIT = of_program("livekit", builds.LIVEKIT)
PAUSE = of_program("pause", builds.PAUSE)
REDIS = Recipe("redis", lambda: (), _nothing)

STAGE = (CONTROL, AUDIO, LIVEKIT, REDIS)
"""What the charts run, by the name that the charts' values use."""
