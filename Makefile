# PyPeT: `make demo` shows it at work, `make test` checks it. Both need Python 3.11 or later, make and the package index.

PYTHON ?= python3
VENV ?= .venv
OLD_VENV ?= .venv-oldest
BIN = $(VENV)/bin
OLDEST = numpy==1.24.* scipy==1.10.* nibabel==5.0.* matplotlib==3.7.* pillow==9.1.* pyparsing==3.0.* threadpoolctl==3.1.* tqdm==4.64.*

.DEFAULT_GOAL := help
.PHONY: help demo test lint test-newest test-oldest benchmark clean

help:
	@echo "make demo       phantoms and their maps in demo-output/"
	@echo "make test       lint, then all tests on the newest and on the oldest supported numpy and scipy"
	@echo "make lint       ruff and mypy"
	@echo "make benchmark  speed, memory and accuracy figures (tables, about ten minutes)"
	@echo "make pictures   the demo, and its pictures into Docs/pictures"
	@echo "make clean      remove environments and results"

# An environment is complete when its stamp exists; an interrupted installation starts again.
$(VENV)/stamp: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	  f"PyPeT needs Python 3.11 or later, {sys.executable} is {sys.version.split()[0]}; try: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/stamp-dev: $(VENV)/stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	@touch $@

$(OLD_VENV)/stamp-dev: pyproject.toml
	@for old in $(PYTHON) python3.11; do \
	  "$$old" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && exec "$$old" -m venv $(OLD_VENV); \
	done; echo "The lane with the oldest versions needs Python 3.11 (numpy 1.24 has no wheels for later ones): install it, or run: make lint test-newest"; exit 1
	$(OLD_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(OLDEST) --editable '.[test]'
	@touch $@

demo: $(VENV)/stamp
	$(BIN)/pypet demo demo-output

lint: $(VENV)/stamp-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test-newest: $(VENV)/stamp-dev
	$(BIN)/python -m pytest --numprocesses 2

test-oldest: $(OLD_VENV)/stamp-dev
	$(OLD_VENV)/bin/python -m pytest --numprocesses 2

test: lint test-newest test-oldest

benchmark: $(VENV)/stamp-dev
	$(BIN)/python Testing/Benchmarks/run.py

clean:
	rm -rf $(VENV) $(OLD_VENV) demo-output .mypy_cache .ruff_cache .pytest_cache build *.egg-info

# The pictures in Docs are those of the demo.
.PHONY: pictures
pictures: demo
	mkdir -p Docs/pictures
	cp demo-output/ctp/result/figures/summary.png Docs/pictures/ctp-summary.png
	cp demo-output/ctp/result/figures/aif.png Docs/pictures/ctp-aif.png
	cp demo-output/dsc/result/figures/summary.png Docs/pictures/dsc-summary.png
