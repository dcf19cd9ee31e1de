# make run      set up, build, and run the main job on the sample
# make test     set up and run all tests
# make help     all targets

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

# BLAS for the network; the packages that need it link against nothing by themselves.
export CGO_ENABLED := 1
export CGO_LDFLAGS ?= -lopenblas

VERSION := $(shell cat VERSION)
COMMIT  := $(shell git rev-parse --short HEAD 2>/dev/null)
LDFLAGS := -X main.version=$(VERSION) -X main.commit=$(COMMIT)
COUNT   ?= 6
SAMPLE  := bin/sipipe --config sample/sipipe.yaml

# Go decides what has to be built again.
.PHONY: help setup setup-test build run test test-faults race bench bench-kernels bench-scale bench-reading skill fuzz-short lint vuln test-slurm testdata clean

help: ## show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the system packages that building takes
	@scripts/setup build

setup-test: setup
	@scripts/setup test

build: setup ## build bin/sipipe
	@[ -x bin/sipipe ] || echo 'build: compiling bin/sipipe; the first time takes some minutes'
	@go build -trimpath -ldflags '$(LDFLAGS)' -o bin/sipipe .

run: build ## run the main job on the sample in sample/pnw-t2m
	@$(SAMPLE) backfill --from 2004-01-30 --to 2004-02-12
	@$(SAMPLE) verify --from 2004-01-30 --to 2004-02-12
	@echo "products are in build/sample/out"

test: setup-test ## run all tests
	@go test ./...

KILLS ?= 200
test-faults: build ## kill the program KILLS times, break its files, take its disk away; the long form of ./pipeline/faults
	@go test ./pipeline/faults -count 1 -timeout 60m -v -faults.long -faults.kills $(KILLS) -faults.binary $(CURDIR)/bin/sipipe

race: setup-test ## run all tests with the race detector
	@go test -race ./...

bench: setup ## compare with PyTorch and SGEMM; prints a table, writes bench/results.json
	@go run ./bench

bench-kernels: setup ## Go benchmarks, COUNT times each, for benchstat
	@go test -run '^$$' -bench . -benchmem -count $(COUNT) ./...

DATA ?=
skill: build ## the tables of skill.md; DATA names a folder with the Innsbruck sets; takes hours
	@go run ./bench/skill $(if $(DATA),-data $(DATA))

bench-scale: build ## time and memory against size; prints a table, draws docs/pictures/scale.png
	@go run ./bench/scale

bench-reading: build ## reading forecasts beside nccopy
	@go run ./bench/reading

FUZZTIME ?= 10s
fuzz-short: setup ## run each fuzz test for FUZZTIME
	@scripts/fuzz $(FUZZTIME)

lint: setup ## check form, layers and common mistakes
	@scripts/lint

vuln: setup ## look for known vulnerabilities in what is called
	@scripts/vuln

test-slurm: setup ## run arrays and shards on a real Slurm, where it can be had
	@scripts/test-slurm

testdata: build ## write configs/default.yaml again
	@bin/sipipe config --default > configs/default.yaml

clean: ## remove what was built
	@rm -rf bin build
