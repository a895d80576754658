"""Rooms: their fleets, what their listeners hear, and the status that says so."""

from showstopper.engine.rooms.fleet.manifests import Images
from showstopper.engine.rooms.live import LiveRoom
from showstopper.engine.rooms.pods import component_pods, container_of, release
from showstopper.engine.rooms.service import Rooms

__all__ = ["Images", "LiveRoom", "Rooms", "component_pods", "container_of", "release"]
