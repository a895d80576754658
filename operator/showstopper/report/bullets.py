"""Bullets: each expected indicator on its own scale, with the bound drawn in and what lies beyond it hatched."""

from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from showstopper.api.room import MeasuredIndicator
from showstopper.api.run import ExpectationRecord, ExperimentRun
from showstopper.availability.indicators import named
from showstopper.report import looks
from showstopper.report.drawing import INK, Size, styled, svg
from showstopper.report.words import asked, measured_in

_MARGIN = 0.22
"""Inches beside an axis: half of what its last number takes."""


@dataclass(frozen=True, slots=True)
class Bullet:
    """An expectation in numbers as they are shown (percent, seconds, count). None where there is no figure.

    The truth lies between `least` and `most`. `before` is the figure of the time before the fault.
    """

    words: str
    suffix: str
    bound: float
    at_least: bool
    value: float | None
    least: float | None
    most: float | None
    before: float | None

    @property
    def scale(self) -> float:
        """Where its axis ends: 100 for a share that is to be large."""
        if self.suffix == "%" and self.at_least:
            return 100.0
        figures = (self.bound, self.value, self.least, self.most, self.before)
        known = [figure for figure in figures if figure is not None]
        return max(known) * 1.25 or 1.0

    @property
    def shown(self) -> str:
        """Its figure in words. Where it was still growing: what it is at least."""
        if self.value is not None:
            return f"{self.value:g} {self.suffix}".strip()
        endless = self.least and self.most is None
        return f"at least {self.least:g} {self.suffix}".strip() if endless else "not measured"


def bullets(run: ExperimentRun) -> list[Bullet]:
    """Every expectation that was judged."""
    before, judged = measured_in(run, "Baseline"), measured_in(run, "Judged")
    drawable = (
        _bullet(record, before.get(record.indicator), judged.get(record.indicator))
        for record in run.status.expectations
    )
    return [bullet for bullet in drawable if bullet is not None]


def _bullet(
    record: ExpectationRecord, before: MeasuredIndicator | None, judged: MeasuredIndicator | None
) -> Bullet | None:
    indicator = named(record.indicator)
    bound = number(record.min if record.min is not None else record.max)
    if bound is None:
        return None
    value = number(record.value)
    return Bullet(
        words=f"{looks.of_outcome(record.outcome)} {record.indicator} {asked(record.min, record.max)}",
        suffix=indicator.unit.suffix if indicator else "",
        bound=bound,
        at_least=record.min is not None,
        value=value,
        least=number(judged.at_least) if judged else None,
        most=number(judged.at_most) if judged else None,
        before=number(before.value) if before else None,
    )


def number(text: str | None) -> float | None:
    """A figure of a status ("76.4%", "9.48s", "4.2ms", "3") as a number, as it is shown. None if there is none."""
    try:
        return float((text or "").rstrip("%ms"))
    except ValueError:
        return None


def drawn(run: ExperimentRun, size: Size) -> str:
    """All of them below each other. None of them if nothing was judged."""
    drawable = bullets(run)
    if not drawable:
        return ""
    with styled(f"{run.metadata.uid}/bullets/{size.name}"):
        height, margin = 0.72 * len(drawable), _MARGIN / size.inches
        figure = Figure(figsize=(size.inches, height))
        for index, bullet in enumerate(drawable):
            bottom = 1 - (index + 1) / len(drawable) + 0.24 / height
            axes = figure.add_axes((margin, bottom, 1 - 2 * margin, 0.18 / height))
            _draw(axes, bullet)
        return svg(figure, "Each expected indicator beside its bound; the table of expectations has the figures")


def _draw(axes: Axes, bullet: Bullet) -> None:
    end = bullet.scale
    beyond = (0.0, bullet.bound) if bullet.at_least else (bullet.bound, end - bullet.bound)
    axes.broken_barh([beyond], (0, 1), facecolor="#F2F2F2", edgecolor="#AAAAAA", hatch="////", linewidth=0)
    axes.axvline(bullet.bound, color=INK, linewidth=2.5, ymin=-0.25, ymax=1.25, clip_on=False)
    if bullet.least is not None or bullet.most is not None:
        edges = (bullet.least or 0.0, end if bullet.most is None else bullet.most)
        axes.plot(edges, (0.5, 0.5), color=INK, linewidth=1.2, linestyle=(0, (2, 1)), marker="|", markersize=7)
    if bullet.before is not None:
        axes.plot([bullet.before], [0.5], marker="o", markersize=7, markerfacecolor="white", color=INK, clip_on=False)
    if bullet.value is not None:
        axes.plot([bullet.value], [0.5], marker="D", markersize=7, color="#0072B2", clip_on=False, zorder=5)
    axes.text(0, 1.35, bullet.words, ha="left", va="bottom", fontsize=9, fontweight="bold", color=INK)
    axes.text(end, 1.35, bullet.shown, ha="right", va="bottom", fontsize=9, color=INK)
    axes.set_xlim(0, end)
    axes.set_ylim(0, 1)
    axes.set_yticks([])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} {bullet.suffix}".strip())
    axes.tick_params(length=2, width=0.6, labelsize=7.5, labelcolor=INK)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
