import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** A program that tests start, built from Go modules. */
export interface Server {
  readonly name: string
  /** The module, below test/cluster/build, that pins it; absent when `package` carries its version itself. */
  readonly module?: string
  /** What `go build` or, with an `@version`, `go install` builds. */
  readonly package: string
  readonly tags?: string
  /** Link-time values, as `-X` takes them. */
  readonly stamp?: readonly string[]
  /** Runs on Linux only, as part of the whole cluster. */
  readonly cluster?: true
}

const root = join(import.meta.dirname, '..')
export const buildRoot = join(root, 'test/cluster/build')

const kubernetesVersion = 'v1.36.3'
const containerdVersion = 'v2.3.7'
const helmVersion = 'v4.3.1'

// The kubelet tells the API server its version, and Helm checks a chart's kubeVersion against the server's.
const [major, minor] = kubernetesVersion.slice(1).split('.')
const stamp = [`gitVersion=${kubernetesVersion}`, `gitMajor=${major}`, `gitMinor=${minor}`].map(
  (value) => `k8s.io/component-base/version.${value}`,
)
const kubernetes = (name: string) => ({ name, module: '.', package: `k8s.io/kubernetes/cmd/${name}`, stamp })
const containerd = (name: string) => ({
  name,
  package: `github.com/containerd/containerd/v2/cmd/${name}@${containerdVersion}`,
  tags: 'no_btrfs no_devmapper no_zfs',
  cluster: true as const,
})

/** In the order of their building: what the integration tests need comes first. */
export const servers: readonly Server[] = [
  { name: 'etcd', module: '.', package: 'go.etcd.io/etcd/server/v3' },
  kubernetes('kube-apiserver'),
  kubernetes('kubectl'),
  { name: 'helm', package: `helm.sh/helm/v4/cmd/helm@${helmVersion}` },
  kubernetes('kube-controller-manager'),
  { ...kubernetes('kube-scheduler'), cluster: true },
  { ...kubernetes('kube-proxy'), cluster: true },
  { ...kubernetes('kubelet'), cluster: true },
  containerd('containerd'),
  containerd('containerd-shim-runc-v2'),
  containerd('ctr'),
  { name: 'coredns', module: 'coredns', package: '.', cluster: true },
  { name: 'pause', module: 'pause', package: '.', cluster: true },
]

/** Where what outlives a checkout is kept. */
export const cacheRoot = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'tradewind')

/** The directory that holds the servers of exactly these versions, once they are built. */
export const serversDirectory = join(cacheRoot, 'servers', key(), 'bin')

function key(): string {
  const hash = createHash('sha256').update(JSON.stringify([process.platform, process.arch, servers]))
  for (const file of globSync('**/*.{go,mod,sum}', { cwd: buildRoot }).sort()) {
    hash.update(file).update(readFileSync(join(buildRoot, file)))
  }
  return `kubernetes-${kubernetesVersion}-${hash.digest('hex').slice(0, 12)}`
}
