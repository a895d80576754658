"""Steps: what is known of a game day when it is decided on, and what follows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from showstopper.api import conditions
from showstopper.api.conditions import Outlook
from showstopper.api.experiment import Experiment
from showstopper.api.game_day import Act, ActRecord, GameDay, GameDayStatus
from showstopper.api.reasons import Reason
from showstopper.api.run import ExperimentRun
from showstopper.availability.verdict import Finding
from showstopper.clock import from_timestamp, to_timestamp
from showstopper.cluster.events import Announcement
from showstopper.engine.runs import requests


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when it is decided.

    Attributes:
        day: it, with the record of what was performed so far.
        experiments: what each act runs, by the act's name. A missing name means that the Experiment does not exist.
        rooms: the names of the rooms in its namespace.
        runs: all runs of this very game day, by name.
        guarded: whether the API server checks who approves.
        stopped: why nothing may run, if the stop switch is on.
        seen_seconds: how long this operator has known the day.
        now: Unix seconds.
    """

    day: GameDay
    experiments: Mapping[str, Experiment]
    rooms: Collection[str]
    runs: Mapping[str, ExperimentRun]
    guarded: bool
    stopped: Finding | None
    seen_seconds: float
    now: float

    @property
    def timestamp(self) -> str:
        """Now, as it is written."""
        return to_timestamp(self.now)

    def form(self, act: Act) -> str | None:
        """The hash of what an act runs, which an approval approves. None: there is no Experiment of that name."""
        experiment = self.experiments.get(act.name)
        return requests.wanted(experiment).hash if experiment is not None else None

    @property
    def window_passed(self) -> bool:
        """Whether nothing may begin any more."""
        window = self.day.spec.window
        return window is not None and self.now >= from_timestamp(window.end)


@dataclass(frozen=True, slots=True)
class Step:
    """Where the day stands now, and the act whose run is to be made once that is written.

    Attributes:
        outlook: what its conditions say.
        status: the record as it is to be written.
        again: after how many seconds to look again, if nothing else happens.
        begin: the act.
        announcements: what people are told.
    """

    outlook: Outlook
    status: GameDayStatus
    again: float | None = None
    begin: Act | None = None
    announcements: tuple[Announcement, ...] = ()

    def written(self, day: GameDay, now: str) -> GameDayStatus:
        """The whole status, for the day's generation. `now` is RFC 3339."""
        generation, before = day.metadata.generation, day.status.conditions
        status = self.status.model_copy(deep=True)
        status.observed_generation = generation
        status.conditions = conditions.conditions(self.outlook, generation=generation, now=now, previous=before)
        return status


@dataclass(slots=True)
class Draft:
    """A status that is being changed, and what is said of it meanwhile."""

    situation: Situation
    status: GameDayStatus
    announcements: list[Announcement] = field(default_factory=list)

    @classmethod
    def of(cls, situation: Situation) -> "Draft":
        """A copy of what stands."""
        return cls(situation, situation.day.status.model_copy(deep=True))

    @property
    def current(self) -> ActRecord | None:
        """The first act that is not over, or None if all are."""
        return next((record for record in self.status.acts if record.verdict is None), None)

    @property
    def last(self) -> ActRecord | None:
        """The last act that is over, or None if none is."""
        return next((record for record in reversed(self.status.acts) if record.verdict is not None), None)

    def tell(self, reason: Reason, note: str, action: str, *, warning: bool = False) -> None:
        """Something that people are told."""
        self.announcements.append(Announcement(reason, note, action, warning))

    def step(self, outlook: Outlook, *, again: float | None = None, begin: Act | None = None) -> Step:
        """What follows."""
        over = sum(1 for record in self.status.acts if record.verdict is not None)
        self.status.progress = f"{over}/{len(self.status.acts)}" if self.status.acts else None
        current = self.current
        self.status.act = current.name if current is not None and self.status.verdict is None else None
        return Step(outlook, self.status, again, begin, tuple(self.announcements))

    def called(self, record: ActRecord) -> str:
        """An act as people are told of it."""
        number = [act.name for act in self.status.acts].index(record.name) + 1
        return f"act {number} of {len(self.status.acts)}, {record.name}"
