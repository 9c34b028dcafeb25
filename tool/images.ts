// Assembles the container images, without a daemon and without root, into dist/images/NAME.tar (OCI archives). Arguments: operator, sidecar, tradewind; all when none.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { programs } from './bundle.ts'
import { type Layer, layer, writeArchive } from './image/oci.ts'
import { makeBase, makeProgram, user } from './image/rootfs.ts'

/** One assembled image. */
export interface Image {
  /** What pods name it by. */
  readonly reference: string
  /** Of the manifest. */
  readonly digest: string
  readonly archive: string
}

const root = join(import.meta.dirname, '..')
const version = /"version": "([^"]+)"/.exec(readFileSync(join(root, 'package.json'), 'utf8'))?.[1] ?? ''

/** The settings of every image; the Dockerfile says the same. */
const config = {
  user: `${user.id}:${user.id}`,
  entrypoint: ['/usr/bin/node', '/app/main.mjs'],
  env: { PATH: '/usr/bin', NODE_ENV: 'production' },
}

/** An image to be made. */
export interface Program {
  /** The directory of its tree, below rootfs/. */
  readonly name: string
  readonly title: string
  /** The module that starts it. */
  readonly entry: string
  /** What it needs in its environment besides what all do; the Dockerfile says the same. */
  readonly env: Readonly<Record<string, string>>
}

/**
 * A pod's memory and processors are its app's. The room for young objects is small: with Node's own bound the heap grows by 20 to 40 MiB under
 * load, and costs no less CPU. One thread helps the collector instead of four, which cost more than they saved.
 */
export const sidecarEnvironment = {
  NODE_OPTIONS: '--max-semi-space-size=4 --v8-pool-size=1',
  // glibc gives what is freed back to the system at this much, bytes; by itself it raises the mark as it goes, and bursts stay resident.
  MALLOC_TRIM_THRESHOLD_: '131072',
} as const

/**
 * glibc is to map what is larger than this by itself. Node reads from each TLS connection into a buffer of 64 KiB of which a sidecar's few
 * words touch one page; from the common heap all of it would be resident: 40 KiB for each sidecar.
 */
export const operatorEnvironment = { MALLOC_MMAP_THRESHOLD_: '16384' } as const

/** The images of the product. */
export const products: readonly Program[] = [
  { name: 'operator', title: 'tradewind-operator', entry: programs.operator, env: operatorEnvironment },
  { name: 'sidecar', title: 'tradewind-sidecar', entry: programs.sidecar, env: sidecarEnvironment },
  { name: 'tradewind', title: 'tradewind', entry: programs.tradewind, env: {} },
]

/** Assembles images into `directory`: trees below rootfs/, archives below images/. They share the layer with Node. */
export async function makeImages(wanted: readonly Program[], directory: string): Promise<readonly Image[]> {
  const tree = (name: string) => join(directory, 'rootfs', name)
  makeBase(tree('base'))
  const base = layer(tree('base'))
  return Promise.all(
    wanted.map(async ({ name, title, entry, env }) => {
      await makeProgram(entry, tree(name))
      return assemble(title, env, [base, layer(tree(name))], join(directory, 'images'))
    }),
  )
}

function assemble(title: string, env: Program['env'], layers: readonly Layer[], directory: string): Image {
  const reference = `localhost/${title}:${version}`
  const archive = join(directory, `${title}.tar`)
  const labels = { 'org.opencontainers.image.title': title, 'org.opencontainers.image.version': version }
  const settings = { ...config, env: { ...config.env, ...env }, labels }
  return { reference, archive, digest: writeArchive(archive, reference, layers, settings) }
}

if (import.meta.main) {
  const wanted = products.filter(({ name }) => process.argv.length === 2 || process.argv.includes(name))
  for (const { reference, digest, archive } of await makeImages(wanted, join(root, 'dist'))) {
    console.log(`${reference}@${digest}  ${archive}  ${(statSync(archive).size / 2 ** 20).toFixed(1)} MiB`)
  }
}
