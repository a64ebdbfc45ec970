"""``python -m napari_colorkde``: the command line."""

import sys

from napari_colorkde.cli import main

sys.exit(main())
