"""Errors of the arithmetic on spans.

ShowstopperError
└── AvailabilityError
    ├── FeedError      a span feed that is not what the contract says
    └── BoundError     an expectation or abort condition that bounds nothing, or twice
"""

from showstopper.errors import ShowstopperError


class AvailabilityError(ShowstopperError):
    """Base class of what `availability` raises on purpose."""


class FeedError(AvailabilityError):
    """A span feed that is not what the contract says: of which pod, which field, and what is wrong with it."""

    def __init__(self, pod: str, field: str, problem: str) -> None:
        super().__init__(f"span feed of pod {pod or '(unnamed)'}: {field}: {problem}")
        self.pod = pod
        self.field = field
        self.problem = problem


class BoundError(AvailabilityError):
    """An expectation or abort condition that has no bound, two bounds, or one that is no number."""
