# Showstopper: `make demo` shows the whole of it, `make test` tries the whole of it. Needs Linux; Go and root for the
# embedded cluster (without them: kind, or SHOWSTOPPER_CONTEXT). Everything else is installed by the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest
# Every test by its name, and the slowest twenty with their times; less for a quick look: make unit SHOW=-q
SHOW ?= -vv
# Tests that measure nothing, or mostly wait, run on all processors, a module on one; in this process, for a debugger: PARALLEL=
PARALLEL ?= --numprocesses=auto --dist=loadscope
# Tests of packets and processes in namespaces of their own mostly wait for them: more at once than there are processors
WAITING ?= --numprocesses=4 --dist=loadscope
# End-to-end tests run in so many staged rooms at once: three use two processors to seven tenths. On a machine that has
# other work, take one: a listener that is not given its processor reports Unknown, and a run with too much of it is no
# verdict
ROOMS ?= 3
# How often each part of a crowd is sent nonsense, and by which seed
FUZZ ?= 1000000
FUZZ_SEED := $(or $(FUZZ_SEED),$(shell date +%s))
# Where builds are kept, also those of other clones: as dev/cluster/paths.py has it
CACHE := $(or $(SHOWSTOPPER_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/showstopper)
# Some forty processes of tests load the same thousand modules: the first one compiles them for all, whatever the shell says
unexport PYTHONDONTWRITEBYTECODE
# A file that is as new as the locked requirements in .venv
STAMP := .venv/.installed

.PHONY: help setup needs lint format types layers unit netns test-netem livekit apiserver postgresql browser charts e2e fuzz \
        test crds docs argocd lock stage demo night bench-latency bench-dead-air bench-accuracy bench-flood bench-storm bench-targets bench-gates bench-archive \
        bench-lift bench-truth bench-crowd truth truth-clips fault-table report-shots clean

help: ## Say what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' Makefile dev/cluster/cluster.mk

include dev/cluster/cluster.mk
cluster cluster-down cluster-status kubeconfig images cluster-snapshot cluster-check: $(STAMP)

setup: $(STAMP) ## Make .venv with exactly the locked packages; does nothing, and asks nobody, when it is there

$(STAMP): requirements-dev.txt dev/environment.sh
	@dev/environment.sh

needs: $(STAMP) # what tests take from the distribution and from Go, beyond the cluster's own needs
	@$(PYTHON) -m dev.needs

lint: $(STAMP) ## Style: ruff
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

format: $(STAMP) ## Put the code in form
	@$(PYTHON) -m ruff check --fix .
	@$(PYTHON) -m ruff format .

types: $(STAMP) ## Types: mypy, strict
	@$(PYTHON) -m mypy --cache-dir="$(CACHE)/mypy" operator dev e2e tests bench

layers: $(STAMP) ## Who may import whom: import-linter
	@.venv/bin/lint-imports

unit: $(STAMP) ## Tests of pure code, by example and by property
	@$(PYTEST) $(SHOW) $(PARALLEL) tests -m "not (apiserver or charts or livekit or cluster or netns or postgresql or browser)"

netns: needs ## Tests of packets between network namespaces, and of processes in cgroups; needs root
	@$(PYTEST) $(SHOW) $(WAITING) tests -m "netns and not alone"
	@$(PYTEST) $(SHOW) tests -m "netns and alone"

test-netem: $(STAMP) ## The agent's tests with netem, in a virtual machine with Debian's kernel; minutes, and root the first time
	@$(PYTHON) -m dev.machine $(TESTS)

livekit: needs ## Tests through a real LiveKit server on loopback
	@$(PYTEST) $(SHOW) $(PARALLEL) tests -m livekit

apiserver: $(STAMP) ## Tests with a real API server and etcd
	@$(PYTEST) $(SHOW) $(PARALLEL) tests -m "apiserver and not (postgresql or netns)"

postgresql: needs ## Tests of the archive in a real PostgreSQL
	@$(PYTEST) $(SHOW) tests -m postgresql

browser: needs ## Tests of reports in a real Chromium
	@$(PYTEST) $(SHOW) tests -m browser

fuzz: $(STAMP) ## A million messages, packets and the like that a crowd's server should not send: 20 minutes, another seed each time
	@echo "FUZZ=$(FUZZ) FUZZ_SEED=$(FUZZ_SEED)"
	@FUZZ=$(FUZZ) FUZZ_SEED=$(FUZZ_SEED) $(PYTEST) $(SHOW) tests/audio/crowd/test_fuzz.py

charts: $(STAMP) ## Tests of the Helm charts
	@$(PYTEST) $(SHOW) tests -m "charts and not apiserver"

e2e: needs ## Tests on a real cluster (started if it does not run, and left running)
	@$(PYTEST) $(SHOW) --numprocesses=$(ROOMS) --dist=load --maxschedchunk=1 e2e -m "not alone"
	@$(PYTEST) $(SHOW) e2e -m alone

test: needs ## What CI runs: the above but test-netem, a third of long matrices; leaves nothing running
	@$(PYTHON) -m dev.checks

crds: $(STAMP) ## Write crds/ from the models
	@$(PYTHON) -m showstopper.api.generated.crds

docs: $(STAMP) ## Write docs/reference.md and docs/reasons.md from the models
	@$(PYTHON) -m showstopper.api.generated.reference

argocd: $(STAMP) ## Write Argo CD's health scripts and their tests into examples/gitops/argocd from the chart's
	@$(PYTHON) -m tests.support.argocd

lock: $(STAMP) ## Lock packages with hashes; versions that fit stay, UPGRADE=1 takes the newest (asks the package index)
	@dev/lock.sh $(if $(UPGRADE),--upgrade)

stage: $(STAMP) ## Operator and staged room on the cluster, until listeners hear the host; AGENTS=1 with agents, for faults of networks and processes
	@$(PYTHON) -m dev.stage up $(if $(AGENTS),--agents)

demo: $(STAMP) ## Cluster, operator with agents, a staged room; a relay is killed, then flooded: two verdicts, reports in build/demo
	@$(PYTHON) -m dev.demo

night: $(STAMP) ## The interview of 2024 as a game day of seven acts, six minutes, on a stage with a door; report in build/night
	@$(PYTHON) -m dev.night

bench-latency: $(STAMP) ## From apply to the kill or the first lost packet, and back; the operator at rest: build/bench/{latency,rest}.json
	@$(PYTHON) -m bench.latency

bench-dead-air: $(STAMP) ## From apply to the first silence that a listener hears of a host: build/bench/dead_air.json
	@$(PYTHON) -m bench.dead_air

bench-accuracy: needs ## Dead air as measured against captured packets: build/bench/accuracy.json
	@$(PYTHON) -m bench.accuracy

bench-flood: $(STAMP) ## Packets one core floods, beside trafgen and hping3; needs root: build/bench/flood.json
	@$(PYTHON) -m bench.flood

bench-storm: needs ## Joins a second that one core makes, and whether they are counted as the relay does: build/bench/storm.json
	@$(PYTHON) -m bench.storm

bench-crowd: needs ## What a thousand listeners cost beside others' and miss, and who of a storm gets in: build/bench/crowd.json
	@$(PYTHON) -m bench.crowd

bench-targets: $(STAMP) ## Five hundred targets in one run, in one API server: build/bench/targets.json
	@$(PYTHON) -m bench.targets

bench-gates: $(STAMP) ## How soon a gate closes after a template changed, and what deciding costs among 5,000 pods: build/bench/gates.json
	@$(PYTHON) -m bench.gates

bench-archive: needs ## How long a list of 10,000 runs takes from SQLite and from PostgreSQL: build/bench/archive.json
	@$(PYTHON) -m bench.archive

truth: $(STAMP) ## Whether a verdict is ever wrong: 100,000 random rooms whose truth is known: build/bench/truth_rooms.json
	@$(PYTHON) -m bench.truth_rooms

truth-clips: needs ## Whether a crowd calls anything Live that was not: 10,000 clips of known truth: build/bench/truth_clips.json
	@$(PYTHON) -m bench.truth_clips

bench-lift: $(STAMP) ## Whether faults let go by themselves: 132 trials, three ways to lose control; needs root: build/bench/lift.json
	@$(PYTHON) -m bench.lift

bench-truth: $(STAMP) ## Verdicts of runs whose truth is known, on the embedded cluster: build/bench/truth.json
	@$(PYTHON) -m bench.truth

fault-table: $(STAMP) ## What listeners hear under each fault, from real runs: docs/faults.md
	@$(PYTHON) -m bench.fault_table

report-shots: needs ## Pictures of reports as Chromium shows and prints them, to look at: build/shots/
	@$(PYTHON) -m tests.report.shots

clean: ## Remove .venv and what was built in this folder
	@rm -rf .venv build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
