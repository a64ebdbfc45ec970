"""What all tests share: settings of the libraries, a viewer that draws, and a leak check.

Tests that open windows carry ``@pytest.mark.window`` and take the `viewer` fixture. The numerical
tests need nothing from here but the Hypothesis profile.
"""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings

from napari_colorkde import unexpected
from napari_colorkde.openmp import wait_without_spinning
from tests.remembered import remember_what_windows_share

if TYPE_CHECKING:
    from napari import Viewer
    from qtpy.QtWidgets import QMainWindow, QWidget

# Before torch and napari are imported, which read these once. As many threads on every machine, so
# that timings and the order of float sums do not depend on it; one where two test processes have
# the cores already, and none that spins; napari's settings in memory, so that the user's own are
# neither read nor written.
os.environ.setdefault("OMP_NUM_THREADS", "1" if "PYTEST_XDIST_WORKER" in os.environ else "2")
os.environ.setdefault("LP_NUM_THREADS", "1")  # Mesa's: two test processes have the cores already
wait_without_spinning()
os.environ["NAPARI_CONFIG"] = ""

# Test processes side by side have a display each: there is one focus and one clipboard on it.
if (worker := os.environ.get("PYTEST_XDIST_WORKER")) and (displays := os.environ.get("DISPLAYS")):
    numbers = displays.split()
    os.environ["DISPLAY"] = numbers[int(worker.removeprefix("gw")) % len(numbers)]

# What goes wrong in a window fails the test.
unexpected.RAISES = True

# Fixed examples by default: a test run says something about the code, not about the day.
# HYPOTHESIS_PROFILE=explore looks for new examples.
settings.register_profile(
    "fixed",
    deadline=None,
    derandomize=True,
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile(
    "explore", settings.get_profile("fixed"), derandomize=False, max_examples=300
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fixed"))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for no garbage while tests are found: it takes a third of the time, for nothing."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Set aside what the imported libraries are made of."""
    set_objects_aside()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Set aside what earlier tests have left, before a canvas opens."""
    if item.get_closest_marker("window") and "no_leaks" not in item.fixturenames:  # which does so
        remember_what_windows_share()
        process_deletions()
        set_objects_aside()


def set_objects_aside() -> None:
    """Look for garbage among all objects once, and never again among those that stay.

    Each look for leaks, each canvas that closes and each layer that napari removes is a full
    garbage collection. It would go through a million objects of libraries again, for a second.
    """
    gc.collect()
    gc.freeze()


class KeepContextCurrent:
    """Makes napari's OpenGL context current before layers come and go.

    vispy flushes deletions of GL objects in whatever context is current. Beside a second canvas, or
    under Xvfb, that is not napari's, and the next draw is a segmentation fault.

    Parameters
    ----------
    viewer : napari.Viewer
    main_window : QMainWindow
        The window of `viewer`.
    """

    def __init__(self, viewer: Viewer, main_window: QMainWindow) -> None:
        from qtpy.QtOpenGLWidgets import QOpenGLWidget

        self._canvas = main_window.centralWidget().findChild(QOpenGLWidget)
        self._events = viewer.layers.events
        self._events.inserting.connect(self._make_current)
        self._events.removing.connect(self._make_current)

    def _make_current(self, event: object) -> None:
        self._canvas.makeCurrent()

    def disconnect(self) -> None:
        """Let go of the viewer and of its canvas."""
        self._events.inserting.disconnect(self._make_current)
        self._events.removing.disconnect(self._make_current)


@pytest.fixture
def live_objects() -> Callable[[], Counter[str]]:
    """Return a function that counts the live objects of this project's windows, by class.

    A test that opens and closes something three times compares two of its answers.
    """
    return count_live_objects


def count_live_objects() -> Counter[str]:
    """Count, by class, the objects of `ui`, `scene`, `app` and vispy's canvases that are alive."""
    process_deletions()
    gc.collect()
    ours = ("napari_colorkde.ui.", "napari_colorkde.scene.", "napari_colorkde.app.")
    canvas = "vispy.scene.canvas.SceneCanvas"
    counts = Counter[str]()
    for kind, count in Counter(map(type, gc.get_objects())).items():
        name = f"{kind.__module__}.{kind.__qualname__}"
        if name.startswith(ours) or name == canvas:
            counts[name] += count
    return counts


def process_deletions() -> None:
    """Delete what Qt was told to delete later: deleteLater() waits for the event loop."""
    from qtpy.QtCore import QCoreApplication, QEvent

    if QCoreApplication.instance() is not None:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()


@pytest.fixture
def no_leaks(request: pytest.FixtureRequest, qapp: object) -> Iterator[None]:
    """Fail a test after which objects of this project's windows are still alive.

    Where to look when it fails: a callback connected to an event and never disconnected (a lambda
    or `functools.partial` over `self` is held strongly, a bound method weakly); a docked widget,
    which napari orphans when its dock is closed; a worker that still runs; a canvas whose
    `close()` was never called.
    """
    remember_what_windows_share()
    _import_windows()
    # What is there already is none of this test's, and is not counted.
    process_deletions()
    set_objects_aside()
    yield
    if request.node.rep_call.failed:
        return  # its traceback keeps the local variables of the test alive
    # pytest keeps the values of a test's arguments until all teardown is over.
    request.node.funcargs.clear()
    leaked = count_live_objects()
    if leaked:
        # Work that was stopped ends with the step it is in.
        wait_for_threads()
        leaked = count_live_objects()
    if leaked:
        pytest.fail(
            "still alive after the test: "
            + ", ".join(f"{name} ({count})" for name, count in sorted(leaked.items())),
            pytrace=False,
        )


def wait_for_threads() -> None:
    """Wait until Qt's threads have nothing to do, 5 s at most."""
    from qtpy.QtCore import QThreadPool

    pool = QThreadPool.globalInstance()
    if pool is not None:
        pool.waitForDone(5000)


@cache
def _import_windows() -> None:
    # What a module makes once, when imported, is no leak.
    for room in ("app", "scene", "ui"):
        package = importlib.import_module(f"napari_colorkde.{room}")
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            importlib.import_module(module.name)


@pytest.fixture
def viewer(no_leaks: None, make_napari_viewer: Callable[..., Viewer]) -> Iterator[Viewer]:
    """Return a visible napari viewer that survives drawing under Xvfb."""
    earlier = set(_main_windows())
    viewer = make_napari_viewer(show=True)
    (main_window,) = set(_main_windows()) - earlier
    context = KeepContextCurrent(viewer, main_window)
    del main_window
    yield viewer
    context.disconnect()


def _main_windows() -> list[QWidget]:
    from qtpy.QtWidgets import QApplication, QMainWindow

    widgets: list[Any] = QApplication.topLevelWidgets()
    return [widget for widget in widgets if isinstance(widget, QMainWindow)]
