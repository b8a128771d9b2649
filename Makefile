# One environment, made once; every other target runs in it.
PYTHON ?= python3
VENV ?= .venv

BIN := $(VENV)/bin
INSTALLED := $(VENV)/installed
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
SOURCES := $(wildcard notebooks/*.py)
PYTEST := INDUSTRY_APPS_QUICK=1 OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto \
	--maxprocesses 4 --dist loadgroup

.DEFAULT_GOAL := help
.PHONY: help install demo demo-serving test generative hostile coverage lint format benchmark notebooks readme zoo build clean

help: ## Say what there is.
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s  %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Make the environment in .venv, with the tested versions.

$(INSTALLED): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the tested versions into $(VENV); this takes some minutes, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@# An oracle of tests, which asks for a Sphinx of 2022 that nothing here needs.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps stockpyl==1.0.2
	@touch $@

demo: install ## See it work: train on simulated data, check the model file, write a report.
	@$(BIN)/industry-apps demo

demo-serving: install ## Serve a model, ask it, promote a version under load, roll back; minutes.
	@$(BIN)/industry-apps demo --serving --out demo_output/serving

test: install ## Run all tests, the examples in the documentation and the notebooks, on small data.
	$(PYTEST) -m "not generative" --nbmake tests industry_apps $(NOTEBOOKS)

generative: install ## Run the tests of image generation and of the space of molecules.
	$(PYTEST) -m generative tests industry_apps

hostile: install ## Damaged model files, killed runs, odd tables and values; minutes. FILES="NAME ..." for some.
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/hostile/model_files.py $(if $(FILES),--files $(FILES))
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/hostile/killed_runs.py
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/hostile/tables.py
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/hostile/raw_columns.py
	OMP_NUM_THREADS=1 PYTHONPATH=. $(BIN)/python tests/hostile/serving.py

coverage: install ## Run the tests and show the lines that they do not reach.
	$(BIN)/python -m pytest --cov tests industry_apps

lint: install ## Check style, types and who imports whom.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: install ## Put the code into shape.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

benchmark: install ## Measure 20 minutes of each industry, or with FULL=1 all, and write the tables.
	$(BIN)/industry-apps benchmark --all $(if $(FULL),--full)
	$(BIN)/python tests/architecture/readme.py

notebooks: install ## Write the notebooks from their sources and run them.
	$(BIN)/jupytext --sync $(SOURCES)
	$(BIN)/jupyter execute --inplace $(SOURCES:.py=.ipynb)

readme: install ## Write the generated parts of README.md and the page of results.
	$(BIN)/python tests/architecture/readme.py

zoo: install ## Train the models in onnx_models anew; takes half an hour.
	$(BIN)/python tests/architecture/zoo.py

build: install ## Build the wheel and the source archive in dist/.
	$(BIN)/python -m build --no-isolation

clean: ## Remove what was made here, but for the environment.
	rm -rf build dist demo_output htmlcov lightning_logs .coverage .hypothesis
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
