# make demo    see a translator being made, from nothing, in a few minutes
# make test    all tests
# make lint    formatting, style and types
# make bench   this machine's peak, and the quick commands (DATA=FOLDER: where Multi30k is)
# make clean   remove the environment, the demo and what tools left; benchmarks/.work stays
#
# Each makes the environment .venv that it needs. PYTHON=python3.12 chooses the Python for it.

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
	$(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $(name))))
DATA ?= $(NMT_MULTI30K)
RUN = .venv/bin/python

.PHONY: demo test lint bench clean

demo: .venv/installed
	$(RUN) scripts/demo.py

test: .venv/installed
	$(RUN) -m pytest -n auto --maxprocesses 4 --dist worksteal $(ARGS)

lint: .venv/installed
	$(RUN) -m ruff format --check .
	$(RUN) -m ruff check .
	$(RUN) -m mypy
	$(RUN) -m mypy scripts/demo.py

bench: .venv/installed
	@test -e "$(DATA)/train.en" || { echo "DATA=FOLDER names the Multi30k corpus: see data/README.md"; exit 1; }
	$(RUN) -m benchmarks.machine_peak
	$(RUN) -m benchmarks.quick --data "$(DATA)"

# The constraints come first: they pin torch, of which pip would otherwise take the newest build,
# and setuptools, so that nothing else is fetched to build nmt.
.venv/installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "nmt needs Python 3.11 or newer, and there is none here"; exit 1; }
	@test -x $(RUN) || $(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Installing into .venv (torch is large; the first time takes minutes)"
	@$(RUN) -m pip install --quiet --disable-pip-version-check -c constraints.txt setuptools
	@$(RUN) -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		--no-build-isolation -e '.[dev]'
	@touch $@

clean:
	rm -rf .venv .demo build dist *.egg-info \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -path ./benchmarks/.work -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +
