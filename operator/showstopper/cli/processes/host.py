"""`showstopper host`: the managed host of a room, in its pod."""


def command() -> None:
    """Speak in a room: hold music, then the time code (settings come from the environment)."""
    from showstopper.audio.host import main  # noqa: PLC0415 - the control image has no audio libraries

    main()
