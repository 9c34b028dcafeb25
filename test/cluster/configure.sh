#!/usr/bin/env bash
# Makes, in the current directory, the keys and the configuration files of a one-node cluster.
# Argument: the name of the control group that its pods live below.
set -euo pipefail
group=$1 here=$PWD
. "$(dirname "$0")/addresses.sh"

# cert NAME SUBJECT [NAMES]: a key pair signed by the cluster's authority
cert() {
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -subj "$2" 2>/dev/null |
		openssl x509 -req -CA ca.crt -CAkey ca.key -days 30 -out "$1.crt" 2>/dev/null \
			-extfile <(echo "extendedKeyUsage=clientAuth,serverAuth"; echo "${3:+subjectAltName=$3}")
}

# client NAME SUBJECT: a kubeconfig for that user
client() {
	cert "$1" "$2"
	cat >"$1.conf" <<-END
		apiVersion: v1
		kind: Config
		clusters: [{name: c, cluster: {server: "https://127.0.0.1:6443", certificate-authority: "$here/ca.crt"}}]
		users: [{name: u, user: {client-certificate: "$here/$1.crt", client-key: "$here/$1.key"}}]
		contexts: [{name: x, context: {cluster: c, user: u}}]
		current-context: x
	END
}

mkdir -p var/{lib,log,tmp} log cni
ln -sfn /run var/run
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=ca -keyout ca.key -out ca.crt 2>/dev/null
openssl genrsa -out accounts.key 2048 2>/dev/null
cert apiserver /CN=apiserver "IP:127.0.0.1,IP:$node,IP:$api,DNS:localhost,DNS:kubernetes.default.svc,DNS:kubernetes.default"
client admin /O=system:masters/CN=admin
client controller-manager /CN=system:kube-controller-manager
client scheduler /CN=system:kube-scheduler
client proxy /CN=system:kube-proxy
client kubelet /O=system:nodes/CN=system:node:node
: >resolv.conf

# An overlay cannot lie upon an overlay, which is what the root of a container is.
snapshotter=overlayfs
[[ $(stat -f -c %T .) != overlayfs ]] || snapshotter=native
cat >containerd.toml <<END
version = 3
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "$snapshotter"
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "localhost/pause:1"
[plugins."io.containerd.cri.v1.runtime".cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = "$here/cni"
[plugins."io.containerd.cri.v1.runtime"]
  # Else, without CAP_SYS_RESOURCE, every sandbox fails: "can't get final child's PID from pipe: EOF".
  restrict_oom_score_adj = true
END
cat >cni/pods.conflist <<END
{"cniVersion": "1.0.0", "name": "pods", "plugins": [
  {"type": "bridge", "bridge": "pods", "isGateway": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$pods"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
END
cat >kubelet.yaml <<END
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
failCgroupV1: false
cgroupDriver: cgroupfs
cgroupRoot: /$group
failSwapOn: false
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDomain: cluster.local
clusterDNS: ["$node"]
resolvConf: $here/resolv.conf
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $here/ca.crt}}
authorization: {mode: Webhook}
imageGCHighThresholdPercent: 100
evictionHard: {nodefs.available: "0%", nodefs.inodesFree: "0%", imagefs.available: "0%"}
END
cat >proxy.yaml <<END
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: nftables
clusterCIDR: $pods
clientConnection: {kubeconfig: $here/proxy.conf}
conntrack: {maxPerCore: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
END
cat >Corefile <<END
.:53 {
  errors
  kubernetes cluster.local in-addr.arpa {
    kubeconfig $here/admin.conf
  }
}
END

# The kubelet sets these for the whole machine; the end of the cluster puts them back.
sysctl vm.overcommit_memory vm.panic_on_oom kernel.panic kernel.panic_on_oops \
	kernel.keys.root_maxkeys kernel.keys.root_maxbytes >sysctl.conf

# Pods live below a group of the cluster's own: a kubelet ends what it finds in its group and does not know.
if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
	for controller in cpu cpuset memory pids io hugetlb; do
		echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control || true
	done 2>/dev/null
	mkdir -p "/sys/fs/cgroup/$group"
else
	for controller in /sys/fs/cgroup/*/; do mkdir -p "$controller$group"; done
fi

# All pods together weigh as one process beside the host's unless told otherwise; on a busy host nothing of theirs would be in time.
for weight in /sys/fs/cgroup/{,*/}"$group"/cpu.{shares,weight}; do
	[[ ! -e $weight ]] || echo 10000 >"$weight"
done
