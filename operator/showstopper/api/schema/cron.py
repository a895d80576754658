"""Cron schedules and time zones as people write them. Their meaning is left to a library."""

from typing import Annotated

from pydantic import StringConstraints

from showstopper.api.schema.rules import Matching

# What Kubernetes' CronJob takes beside five fields.
MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
WRITE_A_CRON = (
    'write five fields, minute hour day-of-month month day-of-week, like "0 3 * * 1-5", '
    "or one of @hourly, @daily, @weekly, @monthly, @yearly"
)
WRITE_A_ZONE = 'write a name of the IANA database, like "Europe/Zurich" or "UTC"'

_MINUTE = "[0-5]?[0-9]"
_HOUR = "[01]?[0-9]|2[0-3]"
_DAY = "0?[1-9]|[12][0-9]|3[01]"
_MONTH = "0?[1-9]|1[0-2]|(?i:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)"
_WEEKDAY = "[0-7]|(?i:SUN|MON|TUE|WED|THU|FRI|SAT)"


def _field(value: str) -> str:
    """A list of values, ranges and steps."""
    part = f"([*]|({value})(-({value}))?)(/[1-9][0-9]?)?"
    return f"({part},)*{part}"


_FIELDS = " +".join(_field(value) for value in (_MINUTE, _HOUR, _DAY, _MONTH, _WEEKDAY))
CRON_PATTERN = f"{'|'.join(MACROS)}|{_FIELDS}"
Cron = Annotated[str, StringConstraints(max_length=128), Matching(CRON_PATTERN, f"not a cron schedule: {WRITE_A_CRON}")]
TimeZone = Annotated[
    str,
    StringConstraints(max_length=64),
    Matching("[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}", f"not a time zone: {WRITE_A_ZONE}"),
]
