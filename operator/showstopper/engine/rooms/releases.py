"""Releases: which images a room's components run, so that a verdict counts for these and for no others. Pure."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from showstopper.api.room import ComponentImage
from showstopper.api.run import ReleaseImage

Image = ComponentImage | ReleaseImage


@dataclass(frozen=True, slots=True)
class Release:
    """The digests of some components' images, by component and container. An empty digest is not known yet."""

    digests: frozenset[tuple[str, str, str]]

    @property
    def known(self) -> bool:
        """Every image is known by its digest: only then is it told from another one."""
        return bool(self.digests) and all(digest for _, _, digest in self.digests)

    @property
    def settled(self) -> bool:
        """Known, and no two pods of a component run different images."""
        return self.known and len({place[:2] for place in self.digests}) == len(self.digests)

    @property
    def components(self) -> frozenset[str]:
        """The components that have an image."""
        return frozenset(component for component, _, _ in self.digests)

    @property
    def identity(self) -> str:
        """Ten characters that are those of this release alone."""
        return hashlib.sha256(repr(sorted(self.digests)).encode()).hexdigest()[:10]


@dataclass(frozen=True, slots=True)
class Deployed:
    """What a room's components run now.

    Attributes:
        images: of all components.
        moving: what is on its way from one image to another, as a sentence for a person. None if nothing is.
    """

    images: tuple[ComponentImage, ...]
    moving: str | None = None

    @property
    def unsettled(self) -> str | None:
        """Why it cannot be said yet which release this is. None if it can, or there are no images at all."""
        if self.moving is not None:
            return self.moving
        if not self.images or of(self.images).settled:
            return None
        return "pods of one component run different images, or have not started yet"


def of(images: Iterable[Image], components: Collection[str] | None = None) -> Release:
    """The release that these images are. `components`: of these alone."""
    return Release(
        frozenset(
            (image.component, image.container, image.digest)
            for image in images
            if components is None or image.component in components
        )
    )


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
    return None
