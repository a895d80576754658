"""Faults of the stage as they are declared: what a room's managed host does instead of its programme."""

from typing import Annotated, ClassVar

from pydantic import Field

from showstopper.api.faults.base import Aim, FaultKind, Hand
from showstopper.api.schema.base import Spec, Status, Timestamp


class HostFault(FaultKind):
    """A fault that the room's managed host carries out on itself. There is one host, so there is nothing to choose."""

    hand: ClassVar[Hand] = Hand.STAGE
    aims_at: ClassVar[Aim] = Aim.HOST


class DeadAir(HostFault):
    """The host goes on sending packets, of silence: connections and relays are well, and nobody hears anything."""


class HoldStall(HostFault):
    """Hold music goes on, or begins, instead of the host: the show does not start, or is interrupted."""


class HostFigures(Status):
    """What a host has counted of a fault that it carries out on itself."""

    at: Timestamp
    """When the host counted."""
    milliseconds: Annotated[int, Field(ge=0)] = 0
    """How much sound it sent that was not its programme, while the room took its sound."""


class StageKinds(Spec):
    """A choice of one fault of the stage: a field for each kind."""

    dead_air: DeadAir | None = None
    hold_stall: HoldStall | None = None
