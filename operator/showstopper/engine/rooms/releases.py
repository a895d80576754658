"""Releases: which images and pod templates a room's components run: a verdict counts for these alone. Pure."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from showstopper.api.room import ComponentImage
from showstopper.api.run import ReleaseImage

Image = ComponentImage | ReleaseImage
SomeImage = TypeVar("SomeImage", ComponentImage, ReleaseImage)
MIXED = "mixed"
"""What the template of pods begins with that may not all have the same one: no verdict on them counts for a release."""


@dataclass(frozen=True, slots=True)
class Release:
    """The release of some components.

    Attributes:
        digests: of their images, by component and container. An empty one is not known yet.
        templates: of their pods, by component, where a workload tells it.
    """

    digests: frozenset[tuple[str, str, str]]
    templates: frozenset[tuple[str, str]] = frozenset()

    @property
    def known(self) -> bool:
        """Every image is known by its digest: only then is it told from another one."""
        return bool(self.digests) and all(digest for _, _, digest in self.digests)

    @property
    def settled(self) -> bool:
        """Known, and no two pods of a component run different images, or have different templates."""
        mixed = any(template.startswith(MIXED) for _, template in self.templates)
        return self.known and not mixed and len({place[:2] for place in self.digests}) == len(self.digests)

    @property
    def components(self) -> frozenset[str]:
        """The components that have an image."""
        return frozenset(component for component, _, _ in self.digests)

    @property
    def identity(self) -> str:
        """Ten characters that are those of this release alone."""
        return hashlib.sha256(repr((sorted(self.digests), sorted(self.templates))).encode()).hexdigest()[:10]


@dataclass(frozen=True, slots=True)
class DeployedReleases:
    """What a room's components run now.

    Attributes:
        images: of all components.
        moving: the rollout that is under way, as a sentence for a person. None if there is none.
        held: the rollout that does not go on by itself, and what to do about it.
        draining: the pod of another release that has not ended yet, until when it may take, and how to end it.
        several: by component, what runs side by side in it: no verdict on it is about one release.
    """

    images: tuple[ComponentImage, ...]
    moving: str | None = None
    held: str | None = None
    draining: str | None = None
    several: Mapping[str, str] = field(default_factory=dict)

    @property
    def on_its_way(self) -> str | None:
        """What will be over by itself, and has to be before a run begins."""
        return self.moving or self.draining

    @property
    def identity(self) -> str | None:
        """The identity of the release. None while something is on its way, held or mixed."""
        release = of(self.images)
        return release.identity if self.on_its_way is None and self.held is None and release.settled else None

    @property
    def unsettled(self) -> str | None:
        """Why it cannot be said yet which release this is. None if it can, or there are no images at all."""
        if self.on_its_way is not None:
            return self.on_its_way
        if not self.images or of(self.images).settled or self.held is not None:
            return None
        return "pods of one component run different images, or have not started yet"


def of(images: Iterable[Image], components: Collection[str] | None = None, *, with_templates: bool = True) -> Release:
    """The release that these images are. `components`: of these alone."""
    own = [image for image in images if components is None or image.component in components]
    templates = ((image.component, image.template) for image in own if image.template and with_templates)
    return Release(frozenset((image.component, image.container, image.digest) for image in own), frozenset(templates))


def started(images: Iterable[SomeImage]) -> tuple[SomeImage, ...]:
    """These without what has not started yet beside one of the same image: a pod by which a component was scaled out.

    It serves nobody so far. What it runs when it has started counts.
    """
    every = tuple(images)
    running = {(image.component, image.container, image.image) for image in every if image.digest}
    return tuple(
        image for image in every if image.digest or (image.component, image.container, image.image) not in running
    )


def side_by_side(images: Collection[SomeImage]) -> str | None:
    """Which container runs several images, for a person. None if each runs one, as far as it has `started`."""
    counted = started(images)
    for place in sorted({(image.component, image.container) for image in images}):
        if len({image.digest or image.image for image in counted if (image.component, image.container) == place}) > 1:
            own = (image for image in images if (image.component, image.container) == place)
            named = ", ".join(f"{image.image} {image.digest or '(not started)'}" for image in own)
            return f"container {place[1]} of component {place[0]} runs {named}"
    return None


def change(before: Collection[Image], after: Collection[Image]) -> str | None:
    """What runs now and did not run before, for a person. None if there is nothing else.

    A pod that has not started yet has no digest: then its image's name has to be one of those before.
    """
    digests, names = (
        {(image.component, image.digest) for image in before},
        {(image.component, image.image) for image in before},
    )
    for image in after:
        known = (image.component, image.digest) in digests if image.digest else (image.component, image.image) in names
        if not known:
            return f"component {image.component} runs {image.image} {image.digest}".rstrip()
    templates = {(image.component, _declared(image)) for image in before if image.template}
    told = {component for component, _ in templates}
    for image in after:
        if image.template and image.component in told and (image.component, _declared(image)) not in templates:
            return f"the pod template of component {image.component} changed"
    return None


def _declared(image: Image) -> str:
    """The template that is declared, whether all pods have it or not: one that is killed or scaled changes nothing."""
    return image.template.removeprefix(MIXED)
