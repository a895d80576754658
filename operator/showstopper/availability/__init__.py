"""Availability: spans → outages → indicators → verdict. Pure arithmetic: no clock, no I/O."""
