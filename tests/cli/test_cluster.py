"""A real scheduler and two workers on this machine: the same palettes and files as without them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import zarr
from numpy.typing import NDArray

from napari_colorkde import Palette, compute_densities, load_palette, read_image
from napari_colorkde.cli import main
from napari_colorkde.cli.batch import cluster
from napari_colorkde.core.palette.on_cluster import cluster as workers
from napari_colorkde.core.palette.on_cluster.count_in_tree import CountOptions, count_on_cluster
from napari_colorkde.io.densities import write_density
from napari_colorkde.io.formats import blocks

distributed = pytest.importorskip("distributed")

pytestmark = pytest.mark.xdist_group("cluster")  # one of them is enough

Refused = Callable[..., str]
IMAGE = (np.random.default_rng(0).normal(130, 30, (240, 300, 3)) // 4 * 4).astype(np.uint8)
KERNELS = "set,class,weight,mean_r,mean_g,mean_b,var_r,var_g,var_b\nk,,1,130,130,130,400,400,400\n"


class Cluster:
    """A scheduler and workers in processes of their own."""

    def __init__(self, folder: Path) -> None:
        self._where = folder / "scheduler.json"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._start("dask_scheduler", "--port", "0", "--no-show")
        while not (self._where.exists() and self._where.read_text().endswith("}")):
            assert self._processes[0].poll() is None
            time.sleep(0.05)
        self.address: str = json.loads(self._where.read_text())["address"]

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self._start("dask_worker", "--nthreads", "1", "--no-nanny")

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.kill()
            process.wait()

    def _start(self, program: str, *options: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-m", f"distributed.cli.{program}", "--host", "127.0.0.1"]
        words += ["--scheduler-file", str(self._where), "--no-dashboard", *options]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(
            words,
            cwd=self._where.parent,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._processes.append(process)
        return process


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        made.start_worker()
        made.start_worker()
        yield made
    finally:
        made.stop()


@pytest.fixture
def slide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    for name, value in {"BLOCK_PIXELS": 1 << 10, "BLOCK_ROWS": 32, "CHUNK": 32}.items():
        monkeypatch.setattr(blocks, name, value)
    zarr.create_array("s.zarr", data=IMAGE, chunks=(32, 32, 3))
    Path("k.csv").write_text(KERNELS)
    return "s.zarr"


def levels_of(path: str) -> list[NDArray[Any]]:
    group = zarr.open_group(path, mode="r")
    return [np.asarray(group[n]) for n in sorted(group.array_keys())]


@pytest.mark.slow
def test_commands_on_a_cluster(
    slide: str,
    running: Cluster,
    refused: Refused,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    on_cluster = ["--scheduler", running.address]
    with distributed.Client(running.address) as client:
        client.wait_for_workers(2, timeout=60)
    assert main(["count", slide, "-o", "p.npz", *on_cluster]) == 0
    assert "2 workers with 2 threads" in capsys.readouterr().err
    assert load_palette("p.npz") == Palette.from_image(IMAGE)
    np.save("one_block.npy", IMAGE)
    assert main(["count", "one_block.npy", "-o", "one.npz", *on_cluster]) == 0
    assert load_palette("one.npz") == Palette.from_image(IMAGE)
    for words in ("density {} -o {} --bandwidth 9 --log", "density {} -o {} --kernels k.csv"):
        assert main([*words.format(slide, "there.zarr").split(), *on_cluster]) == 0
        assert main([*words.format(slide, "here.zarr").split(), "--lazy"]) == 0
        for there, here in zip(levels_of("there.zarr"), levels_of("here.zarr"), strict=True):
            np.testing.assert_array_equal(there, here)
    capsys.readouterr()
    assert "give one of them" in refused(*f"count {slide} --jobs 2".split(), *on_cluster)
    monkeypatch.setattr("napari_colorkde.__version__", "9.9")
    sentence = refused("count", slide, *on_cluster)
    assert sentence.startswith("worker tcp://127.0.0.1:")
    assert "but this is 9.9; install the same version everywhere" in sentence


@pytest.mark.slow
def test_a_worker_that_is_killed_is_made_up_for(slide: str, running: Cluster) -> None:
    lazy = read_image(Path(slide).absolute(), lazy=True)
    kernels = [((130, 130, 130), (400, 400, 400), 1)]
    with distributed.Client(running.address) as client:
        client.wait_for_workers(2, timeout=60)
        victims = []

        def kill_one(fraction: float) -> None:
            if len(victims) == n_killed and 0 < fraction < 1:
                victims.append(client.run(os.getpid))
                os.kill(next(iter(victims[-1].values())), signal.SIGKILL)

        n_killed = 0
        options = CountOptions(-1, 1 << 24)
        assert count_on_cluster(client, lazy, None, options, kill_one) == Palette.from_image(IMAGE)
        n_killed = len(victims)
        running.start_worker()
        client.wait_for_workers(2, timeout=60)
        densities = compute_densities(lazy, kernels)
        write_density("there.zarr", densities, progress=kill_one)
        assert len(victims) == n_killed + 1 == 2
        running.start_worker()
    here = compute_densities(da.from_array(IMAGE, lazy.chunks), kernels)
    write_density("here.zarr", here)
    for there, here in zip(levels_of("there.zarr"), levels_of("here.zarr"), strict=True):
        np.testing.assert_array_equal(there, here)


@pytest.mark.slow
def test_a_scheduler_that_ends_is_told_of(tmp_path: Path) -> None:
    alone = Cluster(tmp_path)
    try:
        with distributed.Client(alone.address) as client:
            with pytest.raises(ValueError, match='has no worker; start one, as with "dask worker'):
                workers.check_workers(client)
            alone.start_worker()
            client.wait_for_workers(1, timeout=60)
            lazy = da.from_array(IMAGE, (20, 20, 3))
            with pytest.raises(ValueError, match="the cluster's scheduler is gone; restart it"):
                count_on_cluster(
                    client, lazy, None, CountOptions(-1, 1 << 24), lambda _: alone.stop()
                )
    finally:
        alone.stop()


@pytest.mark.slow
def test_files_that_workers_do_not_find(running: Cluster, tmp_path: Path) -> None:
    with distributed.Client(running.address) as client:
        client.wait_for_workers(1, timeout=60)
        workers.check_files(client, [tmp_path])
        with pytest.raises(
            ValueError, match=r"worker tcp://.* cannot find '/nowhere'; give a path"
        ):
            workers.check_files(client, [Path("/nowhere")])


def test_a_scheduler_that_is_not_there(
    slide: str, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "PATIENCE", 0.2)
    for address in ("tcp://127.0.0.1:9", "somewhere", "foo://127.0.0.1:9"):
        sentence = refused("count", slide, "--scheduler", address)
        assert sentence.startswith(f"--scheduler {address}: no scheduler responds there (")
    assert workers.current_client() is None
    assert da.ones(5, chunks=2).sum().compute() == 5
