"""Golden files: reports as they were when somebody looked at them. GOLDEN=write renews them, to be looked at again."""

import os
from pathlib import Path

FOLDER = Path(__file__).with_name("golden")


def assert_same(name: str, text: str) -> None:
    """The report is the same as in the file of that name."""
    file = FOLDER / name
    if os.environ.get("GOLDEN") == "write":
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8"), f"{file.name} differs: look, then GOLDEN=write"
