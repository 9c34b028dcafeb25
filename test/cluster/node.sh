#!/usr/bin/env bash
# The first process of a one-node cluster, in network, mount, process, IPC and host-name namespaces of its own: sets them up, then starts
# everything. Nothing of it listens on, routes to or mounts into the host, and the end of this process ends it all.
# The current directory is what configure.sh filled; the servers are on the PATH.
set -euo pipefail
. "$(dirname "$0")/addresses.sh"

mount --make-rshared /
mount --bind var /var
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/lock /run/netns
hostname node
ip link set lo up
ip addr add "$node/32" dev lo
ip route add "$services" dev lo # any route will do: kube-proxy rewrites the address
sysctl -qw net.ipv4.ip_forward=1

# start PROGRAM ARG...: in the background, with a log
start() { "$@" >>"log/$1.log" 2>&1 & }

start etcd --data-dir etcd --unsafe-no-fsync --log-level warn
start kube-apiserver --etcd-servers http://127.0.0.1:2379 --advertise-address "$node" --cert-dir . \
	--service-cluster-ip-range "$services" --authorization-mode Node,RBAC --allow-privileged \
	--tls-cert-file apiserver.crt --tls-private-key-file apiserver.key --client-ca-file ca.crt \
	--kubelet-client-certificate admin.crt --kubelet-client-key admin.key --kubelet-preferred-address-types InternalIP \
	--service-account-issuer https://kubernetes.default.svc \
	--service-account-key-file accounts.key --service-account-signing-key-file accounts.key
start containerd --config containerd.toml
until [[ $(kubectl --kubeconfig admin.conf get --raw /readyz 2>&1) == ok ]]; do sleep 0.2; done
start kube-controller-manager --kubeconfig controller-manager.conf --leader-elect=false --cert-dir . \
	--use-service-account-credentials --root-ca-file ca.crt --service-account-private-key-file accounts.key \
	--cluster-signing-cert-file ca.crt --cluster-signing-key-file ca.key
start kube-scheduler --kubeconfig scheduler.conf --leader-elect=false --cert-dir .
start kubelet --kubeconfig kubelet.conf --config kubelet.yaml --node-ip "$node"
start kube-proxy --config proxy.yaml
start coredns -conf Corefile
wait
