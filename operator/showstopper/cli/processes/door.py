"""`showstopper door`: where clients of a stage get their tokens."""


def command() -> None:
    """Run a door. Its settings are environment variables."""
    from showstopper.audio.door.process import main  # noqa: PLC0415 - the control image has no audio libraries

    main()
