"""Whether napari is there and new enough: pip asks for it only with the extra `napari`.

Imported where the plugin starts, before anything of napari is.
"""

import re
from importlib.metadata import PackageNotFoundError, version

MINIMUM = "0.9.2"


def check_napari() -> None:
    """Refuse to go on without napari, or with one that is too old.

    Raises
    ------
    ImportError
        With a sentence that says what to install.
    """
    try:
        found = version("napari")
    except PackageNotFoundError:
        raise ImportError(
            'napari is not installed; install it with a Qt binding: pip install "napari-colorkde'
            '[all]".'
        ) from None
    if _numbers(found) < _numbers(MINIMUM):
        raise ImportError(
            f"napari {found} is too old, {MINIMUM} or newer is needed; install it: pip install "
            '--upgrade "napari-colorkde[napari]".'
        )


def _numbers(text: str) -> tuple[int, ...]:
    """The leading numbers of a version; what follows them (rc1, dev3) counts as the release."""
    match = re.match(r"\d+(\.\d+)*", text)
    return tuple(map(int, match[0].split("."))) if match else ()
