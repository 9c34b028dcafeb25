#!/usr/bin/env bash
# Runs a command in the network of the cluster that `make cluster` brought up, with its kubectl, helm, ctr and kubeconfig:
#   test/cluster/in.sh kubectl get pods
set -euo pipefail
directory=${TRADEWIND_CLUSTER:-${XDG_CACHE_HOME:-$HOME/.cache}/tradewind/cluster}
. "$directory/env" || { echo 'no cluster is up: make cluster' >&2; exit 1; }
exec nsenter --net="/proc/$TRADEWIND_NODE/ns/net" "$@"
