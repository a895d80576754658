"""Files that people name: writing them."""

from pathlib import Path

from showstopper.errors import SettingsError


def save(file: Path, text: str) -> None:
    """Write a file.

    Raises:
        SettingsError: naming the file, when it cannot be written.
    """
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"cannot write {file}: {error.strerror}") from error
