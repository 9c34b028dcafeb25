import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { closeSync, copyFileSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { layer, writeArchive } from '../../tool/image/oci.ts'
import { serversDirectory } from '../../tool/servers.ts'
import { type Child, startChild } from './child.ts'
import { eventually } from './eventually.ts'
import { serverPath } from './needs.ts'
import { type RunOptions, runProgram } from './program.ts'
import { scratch } from './scratch.ts'

/** A whole one-node Kubernetes cluster in namespaces of its own: see test/cluster/node.sh for what runs in it. */
export interface Cluster {
  /** Its files; log/ has the servers' logs. */
  readonly directory: string
  /** Runs a program in the cluster's network, as administrator, and resolves with what it printed; rejects with what it complained of. */
  readonly run: (program: string, args: readonly string[], options?: RunOptions) => Promise<string>
  readonly kubectl: (args: readonly string[], options?: RunOptions) => Promise<string>
  readonly helm: (args: readonly string[], options?: RunOptions) => Promise<string>
  /** Starts a program in the cluster's network; it is the caller's to stop before the cluster. Its log is log/`name`.log. */
  readonly start: (name: string, program: string, args: readonly string[], env?: NodeJS.ProcessEnv) => Child
  /** Loads an image archive. Pods name the image `localhost/NAME:TAG`, with a tag other than `latest`: there is no registry. */
  readonly load: (archive: string) => Promise<void>
  /** Ends the cluster and removes what it left on the host. */
  readonly stop: () => Promise<void>
}

const scripts = join(import.meta.dirname, '../cluster')
const script = (name: string) => join(scripts, `${name}.sh`)

export interface ClusterOptions {
  /** Where its files go: an empty or absent directory. The default is a new one that a later run removes if this process cannot. */
  readonly directory?: string
  /** Whether it outlives this process. */
  readonly detached?: boolean
}

/** Brings a cluster up, and resolves when its node is ready and pods can be made: about 10 s. Needs what `needs('cluster')` names. */
export async function startCluster({
  directory = scratch('cluster', clean),
  detached = false,
}: ClusterOptions = {}): Promise<Cluster> {
  mkdirSync(join(directory, 'log'), { recursive: true })
  const log = join(directory, 'log/node.log')
  const path = `${serversDirectory}${delimiter}${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`
  execFileSync(script('configure'), [group(directory)], { cwd: directory, env: { ...process.env, PATH: path } })
  const namespaces = ['--net', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc']
  const node = detached
    ? startDetached('unshare', [...namespaces, script('node'), directory], log, path, directory)
    : startChild('unshare', [...namespaces, script('node'), directory], {
        log,
        cwd: directory,
        env: { ...process.env, PATH: path },
      })
  writeFileSync(join(directory, 'pid'), String(node.pid))

  try {
    const first = await eventually(() => firstProcess(node.pid), { within: 10_000 })
    const env = environment(directory, first, path)
    writeFileSync(
      join(directory, 'env'),
      Object.entries(env)
        .map(([name, value]) => `export ${name}='${value}'\n`)
        .join(''),
    )
    const cluster = clusterOf(directory, first, env)
    await eventually(() => cluster.run('ctr', ['version']), { within: 60_000, every: 200 })
    await cluster.load(pauseImage(directory))
    await eventually(() => cluster.kubectl(['wait', '--for=condition=Ready', 'node/node', '--timeout=5s']), {
      within: 120_000,
      every: 200,
    })
    // Pods are refused until it exists.
    await eventually(() => cluster.kubectl(['get', 'serviceaccount', 'default']), { within: 60_000, every: 200 })
    return cluster
  } catch (error) {
    const message = `the cluster did not come up: ${String(error)}\n${readFileSync(log, 'utf8')}`
    await stopCluster(directory)
    throw new Error(message, { cause: error })
  }
}

function startDetached(
  command: string,
  args: readonly string[],
  log: string,
  path: string,
  cwd: string,
): { readonly pid: number } {
  const output = openSync(log, 'a')
  const child = spawn(command, args, {
    detached: true,
    stdio: ['ignore', output, output],
    cwd,
    env: { ...process.env, PATH: path },
  })
  closeSync(output)
  child.unref()
  return { pid: child.pid ?? 0 }
}

/** The process that `unshare` forked into the namespaces. */
function firstProcess(unshare: number): number {
  const children = readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'utf8').trim()
  if (!children) throw new Error('the node has no first process')
  return Number(children.split(' ')[0])
}

function environment(directory: string, first: number, path: string): Readonly<Record<string, string>> {
  return {
    TRADEWIND_NODE: String(first),
    PATH: path,
    KUBECONFIG: join(directory, 'admin.conf'),
    CONTAINERD_ADDRESS: `/proc/${first}/root/run/containerd/containerd.sock`,
    // What kubectl and Helm cache goes with the cluster.
    KUBECACHEDIR: join(directory, 'cache'),
    HELM_CACHE_HOME: join(directory, 'cache'),
    HELM_CONFIG_HOME: join(directory, 'cache'),
    HELM_DATA_HOME: join(directory, 'cache'),
  }
}

function clusterOf(directory: string, first: number, environment: NodeJS.ProcessEnv): Cluster {
  const network = `--net=/proc/${first}/ns/net`
  const run: Cluster['run'] = (program, args, { input, env } = {}) =>
    runProgram('nsenter', [network, program, ...args], {
      ...(input === undefined ? {} : { input }),
      env: { ...environment, ...env },
    })
  return {
    directory,
    run,
    kubectl: (args, options) => run('kubectl', args, options),
    helm: (args, options) => run('helm', args, options),
    start: (name, program, args, env) =>
      startChild('nsenter', [network, program, ...args], {
        log: join(directory, `log/${name}.log`),
        env: { ...process.env, ...environment, ...env },
      }),
    load: async (archive) => void (await run('ctr', ['-n', 'k8s.io', 'images', 'import', archive])),
    stop: () => stopCluster(directory),
  }
}

/** The image that holds each pod's namespaces. */
function pauseImage(directory: string): string {
  const root = join(directory, 'pause')
  mkdirSync(root)
  copyFileSync(serverPath('pause'), join(root, 'pause'))
  const archive = join(directory, 'pause.tar')
  writeArchive(archive, 'localhost/pause:1', [layer(root)], {
    user: '65535:65535',
    entrypoint: ['/pause'],
    env: {},
    labels: {},
  })
  return archive
}

/** Ends the cluster whose files are in `directory`, whoever started it, and removes what it left on the host. */
export async function stopCluster(directory: string): Promise<void> {
  const pid = clusterProcess(directory)
  if (pid) {
    // The first process ends when every other one of the namespaces has, and with them their mounts, interfaces and rules.
    const first = firstProcess(pid)
    process.kill(pid, 'SIGKILL')
    while (isRunning(first)) await sleep(50)
  }
  clean(directory)
}

/** The id of the `unshare` that holds the cluster of `directory`; undefined when there is none any more. */
export function clusterProcess(directory: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(directory, 'pid'), 'utf8'))
    // Another process may have got the id since.
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(directory) ? pid : undefined
  } catch {
    return undefined
  }
}

/** Whether a process is there and not only waits for its parent to notice its end. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

function clean(directory: string): void {
  if (existsSync(join(directory, 'sysctl.conf'))) execFileSync(script('clean'), [group(directory)], { cwd: directory })
  else rmSync(directory, { recursive: true, force: true })
}

/** The name of the control group of the cluster in `directory`: no other cluster has it. */
function group(directory: string): string {
  return `tradewind-${createHash('sha256').update(directory).digest('hex').slice(0, 8)}`
}
