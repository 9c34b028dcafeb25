import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Image, makeImages, products } from '../../tool/images.ts'
import { type Cluster, startCluster } from '../helpers/cluster.ts'
import { eventually } from '../helpers/eventually.ts'
import { scratch } from '../helpers/scratch.ts'
import type { Load, Outcome } from './client.ts'

const root = join(import.meta.dirname, '../..')
/** The namespace of the README's manifests, and the operator's own. */
export const [apps, system] = ['ai', 'tradewind-system'] as const
/** The credential of a model server. */
export const apiKey = 'sk-e2e-4f1c2d7a9b'
const version = /"version": "([^"]+)"/.exec(readFileSync(join(root, 'package.json'), 'utf8'))?.[1] ?? ''

/** A cluster with Tradewind's images, and what the tests do in it. */
export interface Lab extends Cluster {
  /** By the names of their trees: operator, sidecar, tradewind, client. */
  readonly images: Readonly<Record<string, Image>>
  /** Runs kubectl in the namespace of the apps; resolves with what it printed, trimmed. */
  readonly k: (...args: readonly string[]) => Promise<string>
  /** Makes what a file of this directory says. */
  readonly apply: (file: string) => Promise<void>
  /** Runs the app's program in a pod of the app, or in the one named. */
  readonly app: (args: readonly string[], pod?: string) => Promise<string>
  readonly ask: (how?: 'stream') => Promise<Outcome>
  /** Sends `count` requests, one after another, 100 a second, and resolves with what came of them. */
  readonly askMany: (count: number) => Promise<Load>
  /** Lets the app send 40 requests a second while `disturb` runs, and a moment longer. */
  readonly underLoad: (disturb: () => Promise<unknown>) => Promise<Load>
  /** The status of a route or an endpoint. */
  readonly status: (kind: 'modelroute' | 'modelendpoint', name: string) => Promise<Status>
  /** Resolves when the route's newest generation is served by every sidecar that it targets, `n` of them. */
  readonly programmed: (route: string, n: number) => Promise<void>
}

/** An object of ours: the parts that tests read. */
export interface Status {
  readonly generation: number
  readonly conditions: Readonly<
    Record<string, { readonly status: string; readonly message: string; readonly observedGeneration: number }>
  >
  readonly sidecars?: {
    readonly targeted: number
    readonly connected: number
    readonly acknowledged: number
    readonly rejected: number
  }
}

/** Assembles the images, brings a cluster up, and loads them. Neither operator nor app is there yet. */
export async function startLab(): Promise<Lab> {
  const directory = scratch('e2e')
  const client = { name: 'client', title: 'tradewind-client', entry: 'test/e2e/client.ts', env: {} }
  const programs = [...products, client]
  const images = await makeImages(programs, directory)
  const cluster = await startCluster()
  try {
    for (const { archive, reference, digest } of images) {
      await cluster.load(archive)
      // As it would be named if it had been pulled by its digest.
      await cluster.run('ctr', ['-n', 'k8s.io', 'images', 'tag', reference, reference.replace(/:[^:]*$/, `@${digest}`)])
    }
  } catch (error) {
    await cluster.stop()
    throw error
  } finally {
    rmSync(directory, { recursive: true })
  }
  return labOf(cluster, Object.fromEntries(images.map((image, i) => [programs[i]?.name ?? '', image])))
}

function labOf(cluster: Cluster, images: Lab['images']): Lab {
  let loads = 0
  const k: Lab['k'] = async (...args) => (await cluster.kubectl(['-n', apps, ...args])).trim()
  const app: Lab['app'] = (args, pod = 'deployment/support') =>
    k('exec', pod, '-c', 'app', '--', 'node', '/app/main.mjs', ...args)
  // What the client's program prints is what its types say.
  const ask: Lab['ask'] = async (how) => JSON.parse(await app(how ? ['ask', how] : ['ask'])) as Outcome
  const askMany: Lab['askMany'] = async (count) =>
    JSON.parse(await app(['load', `many-${++loads}`, '100', `${count}`])) as Load
  const status: Lab['status'] = async (kind, name) => parseStatus(await k('get', kind, name, '-o', 'json'))
  return {
    ...cluster,
    images,
    k,
    app,
    ask,
    askMany,
    status,
    apply: async (file) => {
      const text = readFileSync(join(import.meta.dirname, file), 'utf8')
        .replaceAll('VERSION', version)
        .replaceAll(/\bKEY\b/g, apiKey)
      await cluster.kubectl(['apply', '-f', '-'], { input: text })
    },
    underLoad: async (disturb) => {
      const name = `load-${++loads}`
      const loading = app(['load', name, '40', '4000'])
      loading.catch(() => {}) // it is awaited below
      await eventually(() => app(['started', name]), { within: 20_000, every: 100 })
      try {
        await disturb()
      } finally {
        await app(['stop', name])
      }
      const load = JSON.parse(await loading) as Load
      if (load.sent < 40) throw new Error(`it was no load: ${JSON.stringify(load)}`)
      return load
    },
    programmed: (route, n) =>
      eventually(
        async () => {
          const { generation, conditions, sidecars } = await status('modelroute', route)
          const { Programmed } = conditions
          const is = JSON.stringify({ generation, Programmed, sidecars })
          if (Programmed?.status !== 'True' || Programmed.observedGeneration !== generation)
            throw new Error(`not programmed: ${is}`)
          const { targeted, connected, acknowledged, rejected } = sidecars ?? {}
          if (targeted !== n || connected !== n || acknowledged !== n || rejected !== 0)
            throw new Error(`not ${n}/${n}: ${is}`)
        },
        { within: 60_000, every: 250 },
      ),
  }
}

function parseStatus(text: string): Status {
  const { metadata, status = {} } = JSON.parse(text)
  const conditions = Object.fromEntries((status.conditions ?? []).map((it: { type: string }) => [it.type, it]))
  return { generation: metadata.generation, conditions, sidecars: status.sidecars }
}

/** The commands and the manifests of the README's part about clusters. */
export function readme(): { readonly commands: readonly string[]; readonly manifests: string } {
  const text = readFileSync(join(root, 'README.md'), 'utf8')
  const [, part = ''] = text.split('\n## In a cluster\n')
  const [, commands = ''] = /```\n([^]*?)```/.exec(part) ?? []
  const [, manifests = ''] = /<!-- e2e: manifests -->\n```yaml\n([^]*?)```/.exec(part) ?? []
  if (!commands || !manifests) throw new Error('the README has no commands or no manifests for a cluster')
  return { commands: commands.trim().split('\n'), manifests }
}
