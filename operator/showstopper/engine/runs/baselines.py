"""Baselines: what a run's record keeps of the time before its faults, so that no memory is needed to judge it. Pure."""

from collections.abc import Sequence

from showstopper.api.run import BaselineRecord
from showstopper.availability.coverage import Coverage
from showstopper.availability.coverage import of as of_view
from showstopper.availability.indicators.listening import AUDIBLE_RATIO
from showstopper.availability.measurements import Measurement
from showstopper.availability.spans import Window
from showstopper.availability.tracks import View

MOST_NAMED = 500
"""One in twenty of the largest room (10,000 residents): with more of them unheard no baseline is healthy."""


def record(covered: Coverage, residents: Sequence[str]) -> BaselineRecord:
    """What is to be kept of a baseline."""
    return BaselineRecord(
        residents=covered.intended,
        unknown=covered.unknown_share,
        audible=covered.audible.value,
        audible_at_least=covered.audible.lower,
        audible_at_most=covered.audible.upper,
        unheard=_places(covered.unheard, residents),
        unseen=_places(covered.unseen, residents),
    )


def coverage(kept: BaselineRecord, window: Window, residents: Sequence[str]) -> Coverage:
    """The baseline's coverage, as far as it was kept."""
    audible = Measurement(
        AUDIBLE_RATIO, kept.audible, kept.residents - len(kept.unseen), kept.audible_at_least, kept.audible_at_most
    )
    return Coverage(
        window=window,
        intended=kept.residents,
        unknown_share=kept.unknown,
        gone=(),
        unheard=_names(kept.unheard, residents),
        unseen=_names(kept.unseen, residents),
        audible=audible,
        dead=(),
    )


def known(
    kept: BaselineRecord | None, window: Window | None, before: View | None, residents: Sequence[str]
) -> Coverage | None:
    """How well a baseline is known: by what was kept of it, else by what was told. None: there was none."""
    if window is not None and kept is not None:
        return coverage(kept, window, residents)
    return of_view(before) if before is not None else None


def were_in(kept: BaselineRecord | None, residents: Sequence[str]) -> frozenset[str]:
    """The residents who heard the host in the baseline, by what was kept of it."""
    if kept is None:
        return frozenset()
    return frozenset(residents).difference(_names([*kept.unheard, *kept.unseen], residents))


def _places(names: Sequence[str], residents: Sequence[str]) -> list[int]:
    wanted = frozenset(names)
    return [place for place, name in enumerate(residents) if name in wanted][:MOST_NAMED]


def _names(places: Sequence[int], residents: Sequence[str]) -> tuple[str, ...]:
    return tuple(residents[place] for place in places if place < len(residents))
