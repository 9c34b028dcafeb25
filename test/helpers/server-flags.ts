/** How etcd is started, its files below `directory`, with no care for what a power cut would lose. */
export function etcdFlags(directory: string, url: string, peerUrl: string): string[] {
  return flags({
    'data-dir': `${directory}/etcd`,
    'log-level': 'error',
    'unsafe-no-fsync': 'true',
    'listen-client-urls': url,
    'advertise-client-urls': url,
    'listen-peer-urls': peerUrl,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': `default=${peerUrl}`,
  })
}

/**
 * How kube-apiserver is started. It makes its own certificate in `directory`/certs; it reads accounts.key, accounts.pub, tokens.csv and
 * audit-policy.yaml there, and writes audit.log.
 */
export function apiServerFlags(directory: string, etcdUrl: string, port: number): string[] {
  return flags({
    'etcd-servers': etcdUrl,
    'cert-dir': `${directory}/certs`,
    'bind-address': '127.0.0.1',
    'secure-port': String(port),
    // Nobody connects to it; without one, a host that has no default route is refused.
    'advertise-address': '192.0.2.1',
    'endpoint-reconciler-type': 'none',
    'service-cluster-ip-range': '10.0.0.0/24',
    'allow-privileged': 'true',
    'authorization-mode': 'RBAC',
    'token-auth-file': `${directory}/tokens.csv`,
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-key-file': `${directory}/accounts.pub`,
    'service-account-signing-key-file': `${directory}/accounts.key`,
    // A token lives as long as it was asked for, not a year longer.
    'service-account-extend-token-expiration': 'false',
    'audit-policy-file': `${directory}/audit-policy.yaml`,
    'audit-log-path': `${directory}/audit.log`,
  })
}

function flags(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).map(([name, value]) => `--${name}=${value}`)
}
