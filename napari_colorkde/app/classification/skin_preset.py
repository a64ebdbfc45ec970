"""The example of the tab "Classify": kernels of skin, from a kernel file that comes along."""

from napari_colorkde.app.session import Session
from napari_colorkde.io.kernels.kernel_files import load_kernels
from napari_colorkde.io.sample_data import PRESET_FILE, sample_path

SKIN = ("skin", "nonskin")
"""The sets of the preset, and its classes."""


def show_skin_preset(session: Session) -> None:
    """Open the kernels of skin and of what is not skin, and show how probably each color is skin.

    The sets that are open stay, and nothing but skin is asked of the classes. One step of undo.

    Raises
    ------
    OSError, ValueError
        If the preset cannot be read.
    """
    before = session.state
    preset, opened = load_kernels(sample_path(PRESET_FILE)), dict(before.kernel_sets)
    # The kernels of the user stay open, but say nothing about skin, whatever their class.
    classification = before.classification.replace(
        show="posterior",
        cls=SKIN[0],
        against=SKIN[1],
        priors={},
        threshold=None,
        compared_sets=SKIN,
    )
    # At once, as one step of undo.
    session.set(
        kernel_sets={**opened, **preset},
        kernel_set=SKIN[0],
        show="kernels",
        classification=classification,
    )
    if lost := [name for name in preset if opened.get(name, preset[name]) != preset[name]]:
        session.say(
            f"The preset replaced the set{'s' if len(lost) > 1 else ''} "
            f"{' and '.join(map(repr, lost))}; undo restores what was there."
        )
