"""Which look grades the image at hand, as a session file keeps it: the file, and what was in it."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from napari_colorkde.app.background.error_sentences import user_message


@dataclass(frozen=True, slots=True)
class SavedLook:
    """The file of a look, and a digest by which it is known not to have changed.

    Attributes
    ----------
    file
        Its absolute path.
    sha256
        Of its bytes, in hexadecimal digits.

    Raises
    ------
    ValueError
        If they are not such.
    """

    file: str
    sha256: str

    def __post_init__(self) -> None:
        if not isinstance(self.file, str) or not self.file or "\0" in self.file:
            raise ValueError(f"the session: the file of its look is {self.file!r}, not a path.")
        if not isinstance(self.sha256, str) or not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError("the session: the sha256 of its look is not 64 hexadecimal digits.")

    @classmethod
    def of(cls, path: Path) -> "SavedLook":
        """Read a file.

        Raises
        ------
        OSError
            If it cannot be read.
        """
        return cls(str(path.absolute()), hashlib.sha256(path.read_bytes()).hexdigest())

    @classmethod
    def from_json(cls, document: object) -> "SavedLook":
        """Read it from a session.

        Raises
        ------
        ValueError
            If it is something else.
        """
        if not isinstance(document, dict) or set(document) != {"file", "sha256"}:
            raise ValueError("the session: its look is not a file with a sha256.")
        return cls(document["file"], document["sha256"])

    def to_json(self) -> dict[str, object]:
        """Return what `from_json` reads."""
        return {"file": self.file, "sha256": self.sha256}

    @property
    def name(self) -> str:
        """The file's name."""
        return Path(self.file).name

    def obstacle(self) -> str:
        """Say why the look cannot be applied again; "" if its file is there as it was."""
        try:
            found = SavedLook.of(Path(self.file))
        except OSError as error:
            return f"The look {self.name} of the session cannot be read: {user_message(error)}"
        if found.sha256 != self.sha256:
            return (
                f"The look {self.name} has changed since the session was saved, and the image is "
                "not graded; View ▸ Look ▸ Open look… grades it by the new one."
            )
        return ""
