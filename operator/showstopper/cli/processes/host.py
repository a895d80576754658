"""`showstopper host`: the managed host of a room, in its pod."""


def command() -> None:
    """Run the managed host of a room. Its settings are environment variables."""
    from showstopper.audio.host.process import main  # noqa: PLC0415 - the control image has no audio libraries

    main()
