# make demo    see it work: opens napari, or writes demo-output/ where there is no display
# make test    every check: style, types, the direction of imports, all tests
# make help    the rest

# The first Python that is new enough; PYTHON=... chooses another one.
PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV ?= .venv
BIN = $(VENV)/bin
# Hundreds of processes import the same modules: they are compiled once.
unexport PYTHONDONTWRITEBYTECODE
ON_XVFB = $(BIN)/python scripts/with_display.py
PIP_INSTALL = $(BIN)/python -m pip install --quiet --constraint constraints.txt

.DEFAULT_GOAL = help
.PHONY: help demo test test-all test-minimum lint pyright pytest loops bench docs clean system

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' Makefile

demo: $(VENV)/installed | system  ## open napari on a photograph; without a display, write demo-output/
ifneq ($(or $(DISPLAY),$(WAYLAND_DISPLAY),$(filter Darwin,$(shell uname -s))),)
	$(BIN)/napari-colorkde demo
else
	$(ON_XVFB) $(BIN)/napari-colorkde demo --output demo-output
endif

test:  ## lint, then all tests that are not slow
	@$(MAKE) --no-print-directory --jobs 2 lint loops
	@$(MAKE) --no-print-directory pytest

test-all: lint pyright $(VENV)/installed | system  ## slow tests, lowest versions and pyright, too
	$(ON_XVFB) --displays 2 $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup \
		--max-worker-restart 0 -o faulthandler_timeout=3300 -m ""
	$(MAKE) test-minimum

test-minimum: $(VENV)/installed-minimum  ## core and io, with the lowest versions of what they need
	$(VENV)/minimum/bin/python -m pytest tests/core tests/io

pytest: $(VENV)/installed | system  ## all tests, two at a time; windows open on a display of their own
	$(ON_XVFB) --displays 2 $(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --max-worker-restart 0

lint: $(VENV)/installed  ## style, spelling, types, the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/mypy examples/*.py
	$(BIN)/lint-imports

pyright: $(VENV)/installed-pyright  ## the examples as a second checker of types, that of VS Code, sees them
	$(BIN)/pyright --pythonpath $(BIN)/python examples/*.py

# Otherwise each of the test processes would compile them.
loops: $(VENV)/installed
	@$(BIN)/python scripts/compile_loops.py

bench: $(VENV)/installed-bench | system  ## measure this project beside its peers; writes benchmarks/RESULTS.md
	$(ON_XVFB) $(BIN)/python -m benchmarks

docs: $(VENV)/installed | system  ## take the pictures of the documentation again
	$(ON_XVFB) $(BIN)/python scripts/make_screenshots.py
	$(ON_XVFB) $(BIN)/python scripts/make_gallery.py
	$(ON_XVFB) $(BIN)/python scripts/make_film.py

clean:  ## remove what the other commands made
	rm -rf $(VENV) build dist demo-output .*_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The libraries of Qt, OpenGL and Xvfb, which pip does not bring.
system:
	@$(if $(PYTHON),,$(error Python 3.11 or newer is needed; PYTHON=... says where it is))
	@$(PYTHON) scripts/system_libraries.py

$(VENV)/installed: pyproject.toml constraints.txt | system
	@echo "Installing into $(VENV): some minutes, once."
	$(PYTHON) -m venv $(VENV)
	$(PIP_INSTALL) --upgrade "pip>=25.1"
	$(PIP_INSTALL) --editable ".[all]" --group test --group lint
	@touch $@

# torch is the exception: its builds are large, so constraints.txt says which one.
$(VENV)/installed-minimum: $(VENV)/installed
	$(PYTHON) -m venv $(VENV)/minimum
	$(BIN)/python scripts/minimum_constraints.py > $(VENV)/minimum/constraints.txt
	grep '^torch==' constraints.txt >> $(VENV)/minimum/constraints.txt
	$(VENV)/minimum/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(VENV)/minimum/bin/python -m pip install --quiet --constraint $(VENV)/minimum/constraints.txt \
		--editable . --group test-engine
	@touch $@

$(VENV)/installed-pyright: $(VENV)/installed
	$(PIP_INSTALL) --group pyright
	@touch $@

$(VENV)/installed-bench: $(VENV)/installed
	$(PIP_INSTALL) --group bench
	@touch $@
