#!/usr/bin/env bash
# Removes what the ended cluster of the current directory left on the host, this directory too. Argument: the name of its control group.
set -uo pipefail
find /sys/fs/cgroup/{,*/}"$1" -depth -type d -exec rmdir {} \; 2>/dev/null
sysctl -qp sysctl.conf
rm -rf "$PWD"
