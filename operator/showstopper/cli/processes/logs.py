"""Logs of long-running commands: JSON lines on standard error, ours and those of libraries alike."""

import logging
import sys

import structlog

from showstopper.errors import SettingsError


def configure(level: str) -> None:
    """Begin to log.

    Raises:
        SettingsError: when there is no such level.
    """
    number = logging.getLevelNamesMapping().get(level)
    if number is None:
        raise SettingsError(f"SHOWSTOPPER_LOG_LEVEL is {level!r}: set it to debug, info, warning or error")
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[handler], force=True)
