from __future__ import annotations

import gc
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_colorkde.app.background.error_sentences import ComputeError, user_message
from napari_colorkde.app.density import estimation
from napari_colorkde.app.density import export as export_module
from napari_colorkde.app.density.request import ColorValues
from napari_colorkde.app.density.script import python_script
from napari_colorkde.app.image.source import ImageSource, source_of_array
from napari_colorkde.app.session import Session
from napari_colorkde.core.kde.color_kde import ColorKDE
from napari_colorkde.core.mixture.kernels import Kernel, KernelSet
from napari_colorkde.io.kernels.kernel_files import save_kernels
from napari_colorkde.io.sample_data import sample_path
from tests.app.stepping import SteppingExecutor

RNG = np.random.default_rng(0)
IMAGE = RNG.integers(40, 80, (20, 30, 3)).astype(np.uint8)
KERNELS = KernelSet([Kernel([60, 55, 50], [90, 80, 70], 0.6)], "mine")


def source(image: Any = IMAGE) -> ImageSource:
    return source_of_array(image)


def opened(**state: Any) -> Session:
    session = Session()
    session.open(source())
    session.set(**{"log": False, **state})
    session.wait()
    return session


def densities_of(session: Session) -> ColorValues:
    assert session.densities is not None
    return session.densities


def test_opening_an_image_gives_its_density() -> None:
    session = opened()
    assert session.palette is not None
    wanted = ColorKDE(session.palette).density()
    np.testing.assert_array_equal(densities_of(session).values, wanted)
    assert densities_of(session).is_exact


def test_setting_an_attribute_computes_what_it_asks_for() -> None:
    session = opened()
    session.bandwidth = 9
    assert session.bandwidth == (9.0,)
    assert session.estimate is not None
    assert session.estimate.sigmas == (9.0, 9.0, 9.0)
    session.log = True
    assert session.palette is not None
    wanted = ColorKDE(session.palette, 9).density(log=True)
    np.testing.assert_allclose(densities_of(session).values, wanted)


def test_several_fields_are_set_with_one_computation() -> None:
    session = opened()
    heard: list[object] = []
    session.densities_changed.connect(heard.append)
    session.set(bandwidth=7, log=True)
    assert len(heard) == 1


def test_the_same_value_again_computes_nothing() -> None:
    session = opened(bandwidth=7)
    heard: list[object] = []
    session.state_changed.connect(lambda *states: heard.append(states))
    session.densities_changed.connect(heard.append)
    session.bandwidth = 7
    assert heard == []


def test_the_colormap_computes_nothing() -> None:
    session = opened()
    heard: list[object] = []
    session.densities_changed.connect(heard.append)
    session.colormap = "viridis"
    assert heard == []
    assert session.state.colormap == "viridis"


def test_the_same_state_gives_the_same_numbers() -> None:
    session = opened(bandwidth=7)
    before = densities_of(session).values
    session.bandwidth = 3
    session.bandwidth = 7
    np.testing.assert_array_equal(densities_of(session).values, before)


def test_a_refused_value_changes_nothing() -> None:
    session = opened(bandwidth=7)
    state = session.state
    with pytest.raises(ValueError, match="bandwidth=-1"):
        session.set(bandwidth=-1, log=True)
    assert session.state is state


def test_channels_are_counted_anew() -> None:
    session = opened()
    assert session.source is not None
    session.channels = next(c for c in session.source.choices if c.names == ("green",))
    assert session.palette is not None
    assert session.palette.n_channels == 1
    session.channels = None
    assert session.palette.n_channels == 3


def test_channels_that_the_image_does_not_have_are_refused() -> None:
    session = opened()
    other = source(IMAGE[..., 0]).choices[0]
    with pytest.raises(ValueError, match="does not fit 'image'"):
        session.channels = other


def test_a_choice_of_channels_that_another_image_lacks_is_given_up() -> None:
    session = opened()
    assert session.source is not None
    session.channels = session.source.choices[-1]
    session.open(source(IMAGE[..., 0]))
    assert session.state.channels is None
    assert session.palette is not None
    assert session.palette.n_channels == 1


def test_kernels_are_shown_when_they_are_set() -> None:
    session = opened()
    session.kernels = KERNELS
    assert (session.show, session.state.kernel_set) == ("kernels", "mine")
    assert densities_of(session).request.kernels is KERNELS
    session.show = "kde"
    assert densities_of(session).request.kernels is None
    assert session.kernels is KERNELS


def test_a_kernel_file_is_opened_with_what_looks_wrong_in_it(tmp_path: Path) -> None:
    save_kernels(tmp_path / "kernels.json", KERNELS)
    session = opened()
    notices: list[str] = []
    session.message.connect(notices.append)
    session.load_kernels(tmp_path / "kernels.json")
    assert len(notices) == 1
    assert "weights of set 'mine' sum to 0.6" in notices[0]
    assert densities_of(session).request.kernels == KERNELS


def test_a_doubtful_bandwidth_is_noticed_once() -> None:
    session = opened()
    notices: list[str] = []
    session.message.connect(notices.append)
    colors = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    session.open(source_of_array(np.concatenate([colors, colors])))
    session.bandwidth = "loo"
    session.log = False
    assert len(notices) == 1
    assert "is the narrowest at which pixels are not mostly predicted by others" in notices[0]


def test_one_set_of_a_file_can_be_chosen() -> None:
    session = opened()
    session.load_kernels(sample_path("jones_rehg_1999.csv"), "nonskin")
    assert session.state.kernel_set == "nonskin"
    assert densities_of(session).request.kernels is session.kernels


def test_sets_that_were_opened_before_stay() -> None:
    session = opened(kernel_sets={"mine": KERNELS})
    session.load_kernels(sample_path("jones_rehg_1999.csv"))
    assert [name for name, _ in session.state.kernel_sets] == ["mine", "skin", "nonskin"]


def test_a_failure_is_told_and_the_state_kept() -> None:
    session = opened()
    failures: list[str] = []
    session.failed.connect(failures.append)
    session.bandwidth = (1, 2)
    assert len(failures) == 1
    assert session.bandwidth == (1.0, 2.0)
    with pytest.raises(ComputeError, match="the image has 3 color channels"):
        session.wait()
    session.bandwidth = 5
    session.wait()


def test_an_image_without_a_pixel_that_counts_fails_with_a_sentence() -> None:
    session = Session()
    session.open(source(np.zeros((5, 5, 4), np.uint8)))
    with pytest.raises(ComputeError, match="25 transparent"):
        session.wait()


def test_results_for_an_earlier_image_are_dropped() -> None:
    executor = SteppingExecutor()
    session = Session(executor)
    heard: list[Any] = []
    session.densities_changed.connect(heard.append)
    session.open(source())
    while session.palette is None:
        executor.step()
    executor.compute()
    session.open(source(IMAGE[:5]))
    session.wait()
    assert session.palette is not None
    assert session.palette.n_pixels == 150
    assert {d.request.palette.n_pixels for d in heard} == {150}


def test_an_edit_goes_first_while_an_image_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_colorkde.app.image import counting_steps as module

    monkeypatch.setattr(module, "LARGE", 500)
    monkeypatch.setattr(module, "SAMPLE_PIXELS", 200)
    monkeypatch.setattr(module, "TILE_PIXELS", 60)
    executor = SteppingExecutor()
    session = Session(executor)
    heard: list[tuple[bool, int]] = []
    session.densities_changed.connect(
        lambda d: heard.append((session.index.is_preview, d.request.palette.n_pixels))  # type: ignore[union-attr]
    )
    session.open(source())
    while session.densities is None:
        executor.step()
    session.bandwidth = 9
    session.wait()
    assert heard == [(True, 150), (True, 150), (False, 600)]


def test_stopping_keeps_what_is_shown_and_the_next_edit_goes_on() -> None:
    executor = SteppingExecutor()
    session = Session(executor)
    session.open(source())
    session.wait()
    shown = session.densities
    session.bandwidth = 9
    executor.compute()
    session.stop()
    session.wait()
    assert session.densities is shown
    session.bandwidth = 11
    session.wait()
    assert session.estimate is not None
    assert session.estimate.sigmas == (11.0, 11.0, 11.0)


def test_stopping_the_count_leaves_an_image_that_can_be_counted_again() -> None:
    executor = SteppingExecutor()
    session = Session(executor)
    session.open(source())
    executor.compute()
    session.stop()
    session.wait()
    assert session.palette is None
    session.recount()
    session.wait()
    assert session.densities is not None


def test_waiting_gives_up_in_time() -> None:
    class Never(SteppingExecutor):
        def wait(self, done: Any, timeout: Any) -> bool:
            return False

    session = Session(Never())
    session.open(source())
    with pytest.raises(TimeoutError, match=r"after 0\.5 s"):
        session.wait(0.5)


def test_an_export_holds_the_density_and_says_how_to_get_it_again(tmp_path: Path) -> None:
    session = opened(bandwidth="scott")
    written: list[Path] = []
    session.exported.connect(written.append)
    session.export(tmp_path / "density.npz")
    session.wait()
    assert written == [tmp_path / "density.npz"]
    file = np.load(tmp_path / "density.npz")
    assert session.palette is not None
    wanted = session.palette.paint(densities_of(session).values, IMAGE)
    np.testing.assert_array_equal(file["density"], wanted)
    assert '"bandwidth rule": "scott"' in str(file["provenance"])


def test_what_is_written_of_kernels_are_their_numbers() -> None:
    session = opened()
    session.kernels = KERNELS
    assert session.description()["kernels"] == [
        {"mean": [60, 55, 50], "covariance": [90, 80, 70], "weight": 0.6}
    ]


def test_nothing_can_be_exported_before_there_is_a_density(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no finished density"):
        Session().export(tmp_path / "density.tif")


def test_a_path_that_cannot_be_written_is_refused_before_work_begins(tmp_path: Path) -> None:
    session = opened()
    with pytest.raises(ValueError, match="suffix"):
        session.export(tmp_path / "density.docx")


def test_a_closed_session_lets_go_of_the_image() -> None:
    image = IMAGE.copy()
    alive = weakref.ref(image)
    session = Session()
    session.open(source(image))
    session.wait()
    session.close()
    del image
    gc.collect()
    assert alive() is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("a  b\nc"), "a b c"),
        (KeyError("x"), "KeyError: 'x'"),
        (RuntimeError(), "RuntimeError"),
        (MemoryError(), "There is not enough memory"),
    ],
)
def test_errors_become_one_sentence(error: Exception, words: str) -> None:
    assert user_message(error).startswith(words)


def test_set_takes_what_the_attributes_take() -> None:
    by_attribute, by_set = Session(), Session()
    kernels = KernelSet([Kernel([1, 2, 3], [4, 5, 6], 1)], "mine")
    for session in (by_attribute, by_set):
        session.open(source_of_array(np.zeros((4, 5, 3), np.uint8)))
        session.set(kernel_sets={"other": kernels}, bandwidth=25.5)
    by_attribute.space = "lab"
    by_set.set(space="lab")
    assert by_set.state == by_attribute.state
    assert by_set.bandwidth != (25.5,)
    by_attribute.kernels = kernels
    by_set.set(kernels=kernels)
    assert by_set.state == by_attribute.state
    assert [name for name, _ in by_set.state.kernel_sets] == ["mine"]
    assert by_set.show == "kernels"


def test_a_bandwidth_that_is_given_with_a_space_is_in_its_units() -> None:
    session = Session()
    session.open(source_of_array(np.zeros((4, 5, 3), np.uint8)))
    session.set(bandwidth=25.5)
    session.set(space="lab", bandwidth=3)
    assert session.bandwidth == (3.0,)


# --- stopping, waiting, failing


def stepped(**state: Any) -> tuple[Session, SteppingExecutor]:
    executor = SteppingExecutor()
    session = Session(executor)
    session.open(source())
    session.set(**{"log": False, **state})
    session.wait()
    return session, executor


def check_one_state(session: Session) -> None:
    """What is shown is what the state names, the script gives, and a file is described by."""
    assert session.source is not None
    names: dict[str, Any] = {"read_image": lambda path: IMAGE}
    script = python_script(session.state, session.source)
    exec(script.replace("read_image, ", "").replace(", read_image", ""), names)
    assert session.palette is not None
    painted = session.palette.paint(densities_of(session).values, IMAGE)
    np.testing.assert_allclose(names["density"], painted, rtol=1e-5)
    assert session.estimate is not None
    assert tuple(session.description()["bandwidth"]) == session.estimate.sigmas
    assert densities_of(session).request.bandwidth == session.bandwidth


@pytest.mark.parametrize("steps", range(6))
def test_stopping_a_rule_goes_back_to_what_is_shown(steps: int) -> None:
    session, executor = stepped(bandwidth=9)
    session.bandwidth = "loo"
    for _ in range(steps):
        executor.step()
    assert session.busy
    session.stop()
    session.wait()
    check_one_state(session)
    assert session.bandwidth == (9.0,)
    session.redo()
    session.wait()
    check_one_state(session)
    assert session.bandwidth == "loo"
    session.undo()
    session.wait()
    assert session.bandwidth == (9.0,)
    session.undo()
    assert session.bandwidth is None, "stopping is no step of its own"


def test_stopping_after_the_volume_came_takes_it_back() -> None:
    session, executor = stepped(bandwidth=9)
    before = session.estimate
    session.bandwidth = 20
    while session.estimate is None or session.estimate.bandwidth != (20.0,):
        executor.step()
    heard: list[Any] = []
    session.estimate_changed.connect(heard.append)
    session.stop()
    session.wait()
    assert before is not None
    assert [estimate.volume for estimate in heard] == [before.volume]
    check_one_state(session)


def test_stopping_while_other_channels_are_counted_goes_back_to_those_before() -> None:
    session, executor = stepped()
    assert session.source is not None
    session.channels = session.source.choices[-1]
    executor.compute()
    session.stop()
    session.wait()
    assert session.state.channels is None
    assert session.palette is not None
    assert session.palette.n_channels == 3
    check_one_state(session)


def test_a_rule_that_has_chosen_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    session, executor = stepped(bandwidth="loo")
    session.bandwidth = 3
    executor.step()
    session.stop()
    session.wait()
    monkeypatch.setattr(estimation, "iterate_selection", None)
    session.log = True
    session.wait()
    assert session.bandwidth == "loo"


def test_an_export_waits_for_the_density(tmp_path: Path) -> None:
    session, _ = stepped(bandwidth=9)
    session.bandwidth = 20
    session.export(tmp_path / "density.npy")
    session.wait()
    wanted = ColorKDE(IMAGE, 20).density(IMAGE)
    np.testing.assert_allclose(np.load(tmp_path / "density.npy"), wanted, rtol=1e-5)


def test_an_export_waits_for_an_image_that_is_counted(tmp_path: Path) -> None:
    session = Session(SteppingExecutor())
    session.open(source())
    session.export(tmp_path / "density.npy")
    session.wait()
    assert (tmp_path / "density.npy").exists()


def test_what_waits_is_given_up_with_a_sentence(tmp_path: Path) -> None:
    session, executor = stepped(bandwidth=9)
    said: list[str] = []
    session.message.connect(said.append)
    session.bandwidth = 20
    executor.compute()
    session.export(tmp_path / "density.npy")
    session.stop()
    session.wait()
    assert said == ["What waited for the density was given up with it."]
    assert not (tmp_path / "density.npy").exists()
    session.export(tmp_path / "density.npy")
    session.wait()
    assert (tmp_path / "density.npy").exists()


def test_what_failed_is_not_exported_as_what_was_there_before(tmp_path: Path) -> None:
    session = opened(bandwidth=7)
    session.bandwidth = (1, 2)
    session.export(tmp_path / "density.npy")
    with pytest.raises(ComputeError, match="3 color channels"):
        session.wait()
    assert not (tmp_path / "density.npy").exists()


def test_an_export_that_failed_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(request: Any) -> Any:
        raise OSError("no space left")
        yield

    session = opened()
    with monkeypatch.context() as patch:
        patch.setattr(export_module, "export", full)
        session.export(tmp_path / "a.npy")
    with pytest.raises(ComputeError, match="no space left"):
        session.wait()
    session.wait()
    assert session.error is None
    with monkeypatch.context() as patch:
        patch.setattr(export_module, "export", full)
        session.export(tmp_path / "a.npy")
    assert session.error == "no space left"
    session.export(tmp_path / "b.npy")
    assert session.error is None
    session.wait()
    assert (tmp_path / "b.npy").exists()
