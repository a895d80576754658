"""`showstopper listener`: the virtual listeners of one pod."""


def command() -> None:
    """Run the virtual listeners of one pod. Their settings are environment variables."""
    from showstopper.audio.listener.process import main  # noqa: PLC0415 - the control image has no audio libraries

    main()
