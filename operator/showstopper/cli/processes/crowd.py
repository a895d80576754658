"""`showstopper crowd`: the cheap listeners of one pod."""


def command() -> None:
    """Run the cheap listeners of one pod. Their settings are environment variables."""
    from showstopper.audio.crowd.process import main  # noqa: PLC0415 - the control image has no audio libraries

    main()
