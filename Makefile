# Every target sets up what it needs in .venv, and costs nothing the second time.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip --disable-pip-version-check
CONSTRAINTS := -c constraints.txt
# AutoGluon's learners slow each other down when several thread pools share few cores.
export OMP_NUM_THREADS ?= 1

# Two processes take half of the tests each, in order, so that what a file sets up is mostly set up once.
PARALLEL ?= -n 2 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help demo test test-slow docs check format clean

help: ## Say what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: $(VENV)/.demo ## Rebalance real data inside AutoGluon and print the arms side by side
	$(BIN)/autosynth demo --out $(or $(DEMO_OUT),autosynth-demo)

test: $(VENV)/.dev ## Run the tests (minutes; offline)
	$(BIN)/python -m pytest $(PARALLEL) $(PYTEST_OPTIONS)

test-slow: $(VENV)/.dev ## Run the slow tests too: Ray, DyStack, long fits
	$(BIN)/python -m pytest -m "slow or not slow" $(PYTEST_OPTIONS)

docs: $(VENV)/.dev ## Build the documentation as a site that opens offline: site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

check: $(VENV)/.dev ## Lint, format and strict type checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy autosynth $(wildcard plugins/autosynth_* integration/autosynth_*)

format: $(VENV)/.dev ## Put the code in the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove what the targets made
	rm -rf $(VENV) autosynth-demo autosynth-example build dist site

$(VENV)/.base:
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) ..."
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.demo: $(VENV)/.base pyproject.toml constraints.txt
	@echo "Installing autosynth with AutoGluon (minutes the first time) ..."
	$(PIP) install --quiet $(CONSTRAINTS) -e ".[autogluon]"
	@touch $@

# torch comes first and pinned: left to another package's range, pip would take a build with gigabytes of CUDA.
$(VENV)/.dev: $(VENV)/.base pyproject.toml constraints.txt
	@echo "Installing autosynth with all extras and the tools for tests (minutes the first time) ..."
	$(PIP) install --quiet $(CONSTRAINTS) torch
	$(PIP) install --quiet $(CONSTRAINTS) -e ".[all,ray,dev]"
	@touch $@ $(VENV)/.demo
