# What a person types here; `make help` tells.

ARGS ?=
PYTHON ?=
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help demo fleet test e2e eval chaos check setup models piper lock lock-check oracle clean

help: ## tell what can be typed
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

demo: setup ## a rider rides: camera, pose, form, cue, voice, class, summary (ARGS="--help" tells more)
	@.venv/bin/bikebox demo $(ARGS)

fleet: ## make this laptop ready to look after many bikes: .venv/bin/bikebox fleet
	@config/setup/set-up fleet

setup: ## make this machine ready for the demo and no more
	@config/setup/set-up demo

test: ## make this machine ready for the tests, and run them (ARGS="-k crank" runs some)
	@config/setup/set-up test
	.venv/bin/python -m pytest $(ARGS)

e2e: ## boxes with systemd and SSH are installed, updated, cut off: needs root (ARGS="-m 'not long'")
	@config/setup/set-up e2e
	@config/setup/box-root
	.venv/bin/python -m pytest tests/e2e $(ARGS)

eval: ## how good is the coach: labelled riders of tests/recordings, and of DIR=folder
	@config/setup/set-up test
	.venv/bin/bikebox eval tests/recordings $(DIR) --recordings --json .cache/eval/eval.json --report .cache/eval/eval.html --bars tests/eval-bars.toml

chaos: ## kill all that runs, KILLS times: is a record lost (SEED=n KILLS=n BROKER=mosquitto|nats|cluster)
	@config/setup/set-up test
	@.venv/bin/python -m tests.chaos --seed $(or $(SEED),1) --kills $(or $(KILLS),20) --broker $(or $(BROKER),mosquitto)

check: ## read the code: ruff, mypy, and who may import whom
	@config/setup/set-up check
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

models: setup ## fetch the pose models that are not there yet, lite and heavy too
	@.venv/bin/bikebox models --to .cache/models --model full lite heavy

piper: ## give the coach a person's voice: Piper, a program of its own under the GPL (DIR=folder)
	@config/setup/piper $(DIR)

lock: ## choose the newest allowed packages anew and write config/locks
	@config/setup/set-up check
	@config/setup/lock

lock-check: ## ask the registry: is there a wheel of every locked package for every box
	@config/setup/set-up check
	@config/setup/lock-check

oracle: setup ## compare poses with MediaPipe 0.10.18, which takes 1 GB (ARGS="FOLDER --model lite")
	@config/setup/oracle $(ARGS)

clean: ## remove what make made: .venv, caches, models
	rm -rf .venv .cache build *.egg-info .mypy_cache .ruff_cache .import_linter_cache
