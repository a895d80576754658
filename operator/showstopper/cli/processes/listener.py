"""`showstopper listener`: the virtual listeners of one pod."""


def command() -> None:
    """Listen in a room and serve what was heard (settings come from the environment)."""
    from showstopper.audio.listener import main  # noqa: PLC0415 - the control image has no audio libraries

    main()
