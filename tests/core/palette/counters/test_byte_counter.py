import sys
import threading
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_colorkde.core.compiled_loops import LOOPS_OF_COUNTING, CompiledLoops
from napari_colorkde.core.palette.counters import byte_counter
from napari_colorkde.core.palette.counters.byte_counter import FEW_PIXELS, ByteCounts
from tests.core.palette.rows import as_pairs, rows_of_bytes, unique_rows


@pytest.fixture
def rows():
    """More rows than are sorted, of few colors."""
    pool = np.random.default_rng(0).integers(0, 256, (500, 3), dtype=np.uint8)
    return pool[np.random.default_rng(1).integers(0, 500, FEW_PIXELS + 300_000)]


def counted(*parts, **options):
    counts = ByteCounts(parts[0].shape[1], **options)
    for part in parts:
        counts.add(part)
    return as_pairs(counts.counted())


@given(rows_of_bytes, st.integers(0, 30))
def test_bytes_are_counted_as_by_hand(values, cut):
    assert counted(*(p for p in (values[:cut], values[cut:]) if len(p))) == unique_rows(values)


def test_few_and_many_pixels_are_counted_alike(rows):
    expected = unique_rows(rows)
    assert counted(rows) == expected
    assert counted(rows[:1000], rows[1000:]) == expected
    assert counted(rows[1000:], rows[:1000]) == expected
    assert counted(rows[::-1]) == expected


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_counts_go_on_beyond_what_the_table_holds(rows, channels):
    values = rows[:, :channels]
    assert counted(values, values, max_tabled=400_000) == [
        (color, 2 * count) for color, count in unique_rows(values)
    ]


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_compiled_loops_count_the_same(rows, monkeypatch, threads):
    pytest.importorskip("numba")
    assert LOOPS_OF_COUNTING.prepare(wait=True) is not None
    monkeypatch.setattr(byte_counter, "thread_count", lambda: threads)
    rows.flags.writeable = False  # as arrays of files and of other programs are
    assert counted(rows, rows[:5]) == unique_rows(np.concatenate([rows, rows[:5]]))


def test_loops_are_made_ready_once_they_pay():
    before = threading.active_count()
    loops = CompiledLoops("json", worthwhile=10)
    assert loops.after(9) is None
    assert threading.active_count() == before
    loops.after(1)
    assert loops.prepare(wait=True) is (sys.modules["json"] if _has_numba() else None)
    assert loops.after(0) is loops.prepare()


def test_loops_that_cannot_be_compiled_are_done_without():
    loops = CompiledLoops("napari_colorkde.no_such_module", worthwhile=0)
    says = (
        pytest.warns(UserWarning, match="numba does not work here")
        if _has_numba()
        else nullcontext()
    )
    with says:
        loops.after(1)
        assert loops.prepare(wait=True) is None
    assert loops.after(1) is None


def _has_numba():
    return byte_counter.LOOPS_OF_COUNTING.prepare(wait=True) is not None
