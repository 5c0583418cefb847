# `make setup` makes .venv, `make demo` shows the workflow at work, `make test` proves it; these set
# up .venv first.

PYTHON ?= python3
BIN := .venv/bin
RUN := requirements/run.txt
BUILD := requirements/build.txt
INSTALL := -m pip install --quiet --disable-pip-version-check

# What was set up.
tell = $(BIN)/python -c 'from importlib.metadata import version; print("$(1)", version("$(1)"), "is installed in .venv")'

.PHONY: setup demo pictures test test-fast test-spec3 spec3 find slurm test-slurm test-s3 test-oldest lint docs dist image bench lock clean

setup: .venv/run
	@$(call tell,snakemake)

demo: .venv/run
	@$(BIN)/snakemake --directory demo --configfile config/demo.yaml --quiet host rules progress -- all report
	@$(BIN)/exp-to-source sources demo/results/sources.tsv
	@echo "report: $(CURDIR)/demo/results/report.html"

test: .venv/test
	$(BIN)/python -m pytest

# What to run between edits, in about a minute: no run of Snakemake.
test-fast: .venv/test
	$(BIN)/python -m pytest tests/unit tests/project/test_structure.py

# The jwst package, for the later steps of stage 3: snakemake spec3.
spec3: .venv/spec3
	@$(call tell,jwst)

# astroquery, for exp-to-source find.
find: .venv/find
	@$(call tell,astroquery)

# Snakemake with the executors for clusters, for profiles/slurm and profiles/slurm-generic.
slurm: .venv-slurm/run

# Spectra, against the pipeline itself.
test-spec3: .venv/test
	$(BIN)/python -m pytest tests/spectra

# A Slurm of four nodes is started for them, where its programs are installed (Debian: slurm-wlm, munge).
test-slurm: .venv/test .venv-slurm/run
	$(BIN)/python -m pytest --numprocesses 0 tests/slurm

# Exposures that another workflow downloads from S3, from a server on this machine.
test-s3: .venv/test .venv-s3/run
	EXP_TO_SOURCE_S3_PYTHON=$(CURDIR)/.venv-s3/bin/python $(BIN)/python -m pytest --numprocesses 0 tests/workflow/test_s3.py

# The workflow with the oldest Snakemake that the Snakefile allows.
test-oldest: .venv-oldest/run
	.venv-oldest/bin/python -m pytest tests/workflow/test_workflow.py tests/workflow/test_reruns.py \
		tests/workflow/test_module.py tests/workflow/test_deployment.py \
		tests/project/test_undocumented.py

lint: .venv/test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/snakemake --lint

# docs/_build/index.html; pages are the Markdown files of this folder, wherever they are.
docs: .venv/docs
	$(BIN)/sphinx-build --fail-on-warning --keep-going --nitpicky --quiet --conf-dir docs . docs/_build

# Source distribution and wheel; a tag v<version> releases them (.github/workflows/release.yml).
dist: .venv/bin/python
	$(BIN)/python $(INSTALL) build
	$(BIN)/python -m build

# exp_to_source:latest, and exp_to_source:spec3 with the jwst package. DOCKER=podman builds them, too.
DOCKER ?= docker
image:
	$(DOCKER) build --tag exp_to_source .
	$(DOCKER) build --tag exp_to_source:spec3 --target spec3 .

# All pictures in the documents; look at them before they are committed.
pictures: .venv/run
	$(BIN)/python docs/pictures.py

# SIZES="mos-6x60 wfss-4x500" for others than the default; OPTIONS for all else (--help).
bench: .venv/test
	$(BIN)/python benchmarks/bench.py $(if $(SIZES),--sizes $(SIZES)) $(OPTIONS)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or later is needed: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv

# With the package itself, in place.
.venv/run: $(RUN) $(BUILD) | .venv/bin/python
	$(BIN)/python $(INSTALL) --require-hashes -r $(RUN) -r $(BUILD)
	$(BIN)/python $(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test .venv/spec3 .venv/find .venv/docs: .venv/%: requirements/%.txt .venv/run
	$(BIN)/python $(INSTALL) --require-hashes -r $<
	@touch $@

.venv-slurm/run .venv-s3/run .venv-oldest/run: .venv-%/run: requirements/%.txt | .venv/bin/python
	$(BIN)/python -m venv $(@D)
	$(@D)/bin/python $(INSTALL) --require-hashes -r $<
	@touch $@

# One resolution, so that the tests run with what users have; but boto3 wants an older dateutil.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate
HASHES := $(LOCK) --generate-hashes pyproject.toml
lock: .venv/bin/python
	$(BIN)/python $(INSTALL) uv
	$(LOCK) pyproject.toml --extra test --extra docs --extra slurm --output-file .venv/all.txt --upgrade
	$(HASHES) --constraints .venv/all.txt --output-file $(RUN)
	echo "setuptools>=77" | $(LOCK) --generate-hashes - --output-file $(BUILD)
	set -e; for extra in test docs spec3 find slurm; do \
		$(HASHES) --extra $$extra --constraints .venv/all.txt --output-file requirements/$$extra.txt; done
	$(HASHES) --extra s3 --output-file requirements/s3.txt
	sed '/^snakemake==/s/.*/snakemake==9.19.0/' .venv/all.txt > .venv/oldest.txt
	$(HASHES) --extra test --constraints .venv/oldest.txt --output-file requirements/oldest.txt

clean:
	rm -rf .venv .venv-slurm .venv-s3 .venv-oldest demo docs/_build dist build
