"""Data sets of vectors and of equally sized images, and their splits.

`read_dataset` finds the format by a file's content; `split` gives the training, validation and test
vectors of an experiment. One module a format; `pickles` is the only one that reads pickles, and
runs nothing of what is in them. Used by `cli` and `app`; below are `io.images` and `core`.
"""

from napari_colorkde.io.datasets.dataset import DataSet, dataset_of_array
from napari_colorkde.io.datasets.read import is_dataset, read_dataset
from napari_colorkde.io.datasets.splits import Split, check_protocol, check_split, split

__all__ = [
    "DataSet",
    "Split",
    "check_protocol",
    "check_split",
    "dataset_of_array",
    "is_dataset",
    "read_dataset",
    "split",
]
