# Two commands do everything from a bare clone: 'make certify' and 'make test'. Both can be repeated at will.
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# A name on PATH proves nothing: pyenv's shims exist for versions that are not switched on, and Debian's python3 may
# come without venv. So each candidate has to run, and to bring what a virtual environment is made with.
USABLE := import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))
FIND_PYTHON = for python in $${PYTHON:-python3.13 python3.12 python3.11 python3}; do \
	if "$$python" -c '$(USABLE)' >/dev/null 2>&1; then echo "$$python"; break; fi; done

# What must run may not be skipped: left to itself, tox also skips an environment that it failed to make.
TOX = $(BIN)/tox run --skip-missing-interpreters false -e

# A Python version that is not installed is skipped. pyenv hides those that are not switched on, so they all are here.
PYENV_ALL = pyenv version-name 2>/dev/null && pyenv versions --bare 2>/dev/null | grep -E '^3\.1[1-9]\.[0-9]+$$'
TOX_EACH_PYTHON = PYENV_VERSION="$$( ($(PYENV_ALL)) | paste -s -d : - )" $(BIN)/tox run -e
# The Python of our own environment has played the unit tests before, in the one that counts branches.
OTHER_PYTHONS = $$($(BIN)/python -c 'import sys; print(*sorted({"py311", "py312", "py313"} - {"py3%d" % sys.version_info[1]}), sep=",")')

.PHONY: help
help: ## show this list
	@sed -n 's/^\([a-z -]*\):.* ## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r names text; do \
		for name in $$names; do printf '  make %-12s %s\n' "$$name" "$$text"; done; done

.PHONY: certify
certify: $(INSTALLED) ## certify the reference client; another with ARGS='--client "COMMAND"'
	$(BIN)/linkproof certify $(ARGS)

.PHONY: test
test: $(INSTALLED) ## run every check and every test, on each supported Python found
	$(TOX) lint,types,unit
	$(TOX_EACH_PYTHON) "$(OTHER_PYTHONS)"
	$(TOX) integration,wheel,conformance,mutants,fuzz

.PHONY: lint types unit integration conformance wheel
lint types unit integration conformance wheel: $(INSTALLED) ## run this part of 'make test' alone
	$(TOX) $@

.PHONY: format
format: $(INSTALLED) ## mend what ruff can mend, and format
	$(BIN)/ruff check --fix --exit-zero .
	$(BIN)/ruff format .

.PHONY: docs
docs: $(INSTALLED) ## draw anew what docs/ has from code: docs/spec.md, tables, schemas, conversations
	$(BIN)/python -m harness.spec.render docs/spec.md
	$(BIN)/python -m harness.pages docs

.PHONY: coverage
coverage: $(INSTALLED) ## play all scenarios in virtual time, and write docs/coverage.md from what they covered
	run="$$(mktemp -d)/run" && $(BIN)/linkproof certify --virtual --run-dir "$$run" >/dev/null && \
		$(BIN)/linkproof coverage "$$run" > docs/coverage.md

# Clients and a server that share no line with the reference, each written from the pages. Needs Node 20 and Go.
.PHONY: certify-all
certify-all: $(INSTALLED) examples ## certify the reference, and the clients and the server in examples/
	$(BIN)/linkproof certify $(ARGS)
	$(BIN)/linkproof certify --client "node examples/typescript/dist/adapter.js" $(ARGS)
	$(BIN)/linkproof certify --client examples/go/bin/adapter $(ARGS)
	$(BIN)/linkproof certify --server examples/go-server/bin/server $(ARGS)

.PHONY: examples
examples: ## build the clients and the server in examples/
	cd examples/typescript && npm ci --no-audit --no-fund --loglevel=error && npm run --silent build
	cd examples/go && go build -o bin/adapter ./cmd/adapter
	cd examples/go-server && go build -o bin/server ./cmd/server

.PHONY: soak
soak: $(INSTALLED) ## certify N times on a quiet host, and N times on an overloaded one: nobody may be accused
	$(BIN)/python -m tests.soak $(or $(N),20)

.PHONY: bench
bench: $(INSTALLED) ## measure speed, exactness and capacity, some 20 min; parts of it with ARGS="--only judge,startup"
	$(BIN)/python -m tests.benchmarks $(ARGS)

.PHONY: mutants
mutants: $(INSTALLED) ## play all wrong clients and servers: each must be caught, by the clause that it breaks
	$(BIN)/python -m tests.mutants $(ARGS)

.PHONY: fuzz
fuzz: $(INSTALLED) ## feed the decoders and the cores with hostile bytes, SECONDS=60 for each
	$(TOX) fuzz -- --seconds $(or $(SECONDS),60) $(ARGS)

# Keeps the pins that still fit; ARGS=--upgrade takes the newest of everything.
.PHONY: constraints
constraints: $(INSTALLED) ## pin again what CI installs, after a change to pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra fuzz --universal --python-version 3.11 --quiet --no-annotate \
		--no-emit-index-url --no-emit-find-links --custom-compile-command 'make constraints' \
		--output-file constraints.txt $(ARGS)

.PHONY: venv
venv: $(INSTALLED) ## make .venv, with linkproof and its tools in it

# A .venv that works is kept, whatever made it. The build backend comes first and from the same pins, because the
# isolated environment that pip would build in takes no notice of constraints.
$(INSTALLED): pyproject.toml constraints.txt
	@if ! $(BIN)/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
		python="$$($(FIND_PYTHON))"; \
		if [ -z "$$python" ]; then \
			echo 'linkproof needs Python 3.11 or newer, with its venv module; none was found on PATH.' >&2; \
			echo 'Install one (Debian: apt-get install python3 python3-venv), or name it: make PYTHON=/path/to/python3 ...' >&2; \
			exit 1; \
		fi; \
		echo "making $(VENV) with $$("$$python" --version) ($$python)"; \
		"$$python" -m venv --clear $(VENV); \
	fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt hatchling editables
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

.PHONY: clean
clean: ## remove everything that was made here, .venv included
	rm -rf $(VENV) .tox dist build htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find harness proxies tests -name __pycache__ -prune -exec rm -rf {} +
