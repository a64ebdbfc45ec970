"""The device chosen in napari's preferences, if it is available."""

from napari_colorkde.core.device import resolve_device

PLUGIN = "napari-colorkde"
DEVICES = ("auto", "cuda", "mps", "cpu")
"""As the manifest lists them."""


def preferred_device() -> tuple[str, str]:
    """Return the device to compute on, and a sentence if it is not the preferred one.

    "auto" where the plugin is not registered; the CPU where the preferred device is missing.
    """
    name = _preference()
    try:
        resolve_device(name)
    except ValueError:
        return "cpu", (
            f"Preferences, Color KDE, Device: {name!r} is not available here; "
            "the CPU is used instead."
        )
    return name, ""


def _preference() -> str:
    from napari.settings import get_plugin_settings

    try:
        return str(get_plugin_settings(PLUGIN).compute.device)
    except (KeyError, AttributeError):
        return "auto"


def offer_existing_devices() -> None:
    """List in the preferences only the devices that exist here, and the one that is chosen."""
    from napari.settings import get_plugin_settings

    try:
        compute = get_plugin_settings(PLUGIN).compute
    except (KeyError, AttributeError):
        return
    shown = type(compute).model_fields["device"].json_schema_extra
    if isinstance(shown, dict):
        shown["enum"] = [name for name in DEVICES if name == compute.device or _exists(name)]


def _exists(name: str) -> bool:
    try:
        resolve_device(name)
    except ValueError:
        return False
    return True
