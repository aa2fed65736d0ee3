# PyPeT: `make demo` shows it at work, `make test` checks it. Both need Python 3.11 or later, make and the package index.

PYTHON ?= python3
VENV ?= .venv
OLD_VENV ?= .venv-oldest
SLICER_VENV ?= .venv-slicer
BIN = $(VENV)/bin
OLDEST = numpy==1.24.* scipy==1.10.* nibabel==5.0.* matplotlib==3.7.* pillow==9.1.* pyparsing==3.0.* scikit-image==0.21.* threadpoolctl==3.1.* tqdm==4.64.* isal==1.7.* \
  pydicom==2.4.* jinja2==3.1.* openpyxl==3.1.*

# The module is tested on real MRML (slicer-core) of these versions. PySide6 6.11 and later end Python 3.11 with a wrong
# count of references to None.
SLICER_CORES = 5.12.4.0 5.11.0.6
HOST = PySide6-Essentials==6.9.* scipy nibabel SimpleITK pydicom pytest pytest-xdist
SLICER_LANES = $(addprefix test-slicer-,$(SLICER_CORES))

.DEFAULT_GOAL := help
.PHONY: help demo test lint test-newest test-oldest system-libraries $(SLICER_LANES) slicer-test benchmark validate clean

help:
	@echo "make demo       phantoms and their maps in demo-output/"
	@echo "make test       lint, then all tests: the library on the newest and the oldest supported numpy and scipy,"
	@echo "                the Slicer module on two versions of slicer-core"
	@echo "make slicer-test SLICER=/path/to/Slicer   the module's own tests inside the desktop application"
	@echo "make lint       ruff and mypy"
	@echo "make validate   what each stage makes of known truth: tables in Docs/validation.md (about an hour)"
	@echo "make benchmark  speed, memory and accuracy of the whole pipeline: tables in the same document (a quarter of an hour)"
	@echo "make pictures   all pictures of the documentation, icons and colour tables anew"
	@echo "make screenshots  those of the Slicer module alone: Resources/Screenshots (two minutes)"
	@echo "make clean      remove environments and results"

# An environment is complete when its stamp exists; an interrupted installation starts again.
$(VENV)/stamp: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else \
	  f"PyPeT needs Python 3.11 or later, {sys.executable} is {sys.version.split()[0]}; try: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/stamp-dev: $(VENV)/stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,test-extras,lint]'
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
	$(OLD_VENV)/bin/python -m pytest --numprocesses 2 -m "not accuracy and not extras"

system-libraries:
	@$(PYTHON) Testing/host/system_libraries.py

$(SLICER_VENV)-%/stamp: Makefile
	$(PYTHON) -m venv $(SLICER_VENV)-$*
	$(SLICER_VENV)-$*/bin/python -m pip install --quiet --disable-pip-version-check slicer-core==$* $(HOST)
	@touch $@

$(SLICER_LANES): test-slicer-%: system-libraries $(SLICER_VENV)-%/stamp
	$(SLICER_VENV)-$*/bin/python -m pytest Testing/Slicer --numprocesses 2 --dist loadfile

test: system-libraries lint test-newest test-oldest $(SLICER_LANES)

# Needs the desktop application: the module's own tests, as "Reload and Test" runs them.
slicer-test:
	@test -n "$(SLICER)" || { echo "name the application: make slicer-test SLICER=/path/to/Slicer"; exit 2; }
	"$(SLICER)" --no-splash --no-main-window --testing --additional-module-paths "$(CURDIR)/PyPeT" \
	  --python-script "$(CURDIR)/Testing/Slicer/in_application.py"

benchmark: $(VENV)/stamp-dev
	$(BIN)/python Testing/Benchmarks/run.py --out Docs/validation.md

validate: $(VENV)/stamp-dev
	$(BIN)/python Testing/Benchmarks/validate.py --out Docs/validation.md

clean:
	rm -rf $(VENV) $(OLD_VENV) $(SLICER_VENV)-* demo-output .mypy_cache .ruff_cache .pytest_cache build *.egg-info

# The pictures in Docs are those of the demo; those of the module come from the headless host.
.PHONY: pictures screenshots
HOST_PYTHON = $(SLICER_VENV)-$(firstword $(SLICER_CORES))/bin/python

screenshots: system-libraries $(SLICER_VENV)-$(firstword $(SLICER_CORES))/stamp
	$(HOST_PYTHON) Testing/Pictures/schemes.py
	$(HOST_PYTHON) Testing/Pictures/screenshots.py

pictures: demo $(VENV)/stamp-dev
	mkdir -p Docs/pictures
	cp demo-output/ctp/result/figures/summary.png Docs/pictures/ctp-summary.png
	cp demo-output/ctp/result/figures/aif.png Docs/pictures/ctp-aif.png
	cp demo-output/dsc/result/figures/summary.png Docs/pictures/dsc-summary.png
	$(BIN)/python Testing/Pictures/colour_tables.py
	$(BIN)/python Testing/Pictures/icons.py
	$(BIN)/python Testing/Pictures/masks.py
	$(BIN)/python Testing/Pictures/report_pages.py
	$(BIN)/python Testing/Pictures/synthesis_subject.py
	$(MAKE) screenshots
