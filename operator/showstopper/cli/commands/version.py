"""`showstopper version`."""

from showstopper import __version__


def command() -> None:
    """Print the version."""
    print(__version__)
