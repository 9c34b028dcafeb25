import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, cpSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { after, before, test } from 'node:test'
import { type Image, makeImages, products } from '../../tool/images.ts'
import { which } from '../../tool/packages.ts'
import { needs } from '../helpers/needs.ts'
import { scratch } from '../helpers/scratch.ts'

const root = join(import.meta.dirname, '../..')
const notLinux = process.platform !== 'linux' && 'images are made of the libraries of a Linux machine'
const notRoot = process.getuid?.() !== 0 && 'needs root'

const wanted = products.filter(({ name }) => name !== 'operator')
let directory: string
let images: readonly Image[]
before(async () => {
  directory = scratch('images')
  if (!notLinux) images = await makeImages(wanted, directory)
})
after(() => rmSync(directory, { recursive: true }))

/** What an archive says that it holds. */
interface Manifest {
  readonly config: { readonly digest: string }
  readonly layers: readonly { readonly digest: string; readonly size: number }[]
}
interface Config {
  readonly config: { readonly User: string; readonly Env: readonly string[]; readonly Entrypoint: readonly string[] }
}

const blob = (archive: string, digest: string) =>
  execFileSync('tar', ['-xOf', archive, `blobs/${digest.replace(':', '/')}`], { maxBuffer: 1 << 28 })
// The archives are our own, and the shapes those of the OCI's specification.
const readManifest = ({ archive, digest }: Image) => JSON.parse(blob(archive, digest).toString()) as Manifest
const readConfig = (image: Image) =>
  JSON.parse(blob(image.archive, readManifest(image).config.digest).toString()) as Config

test('images: made again, they are the same to the byte', { skip: notLinux }, async () => {
  const again = await makeImages(wanted, join(directory, 'again'))
  assert.deepEqual(
    again.map(({ digest }) => digest),
    images.map(({ digest }) => digest),
  )
  for (const [i, image] of images.entries()) {
    assert.ok(readFileSync(image.archive).equals(readFileSync(again[i]?.archive ?? '')), image.reference)
  }
})

test('images: every blob is what its digest says, and the layer with Node is shared', { skip: notLinux }, () => {
  const manifests = images.map((image) => {
    const manifest = readManifest(image)
    for (const { digest } of [manifest.config, ...manifest.layers]) {
      const content = blob(image.archive, digest)
      assert.equal(`sha256:${createHash('sha256').update(content).digest('hex')}`, digest)
    }
    return manifest
  })
  assert.equal(manifests[0]?.layers[0]?.digest, manifests[1]?.layers[0]?.digest)
  assert.notEqual(manifests[0]?.layers[1]?.digest, manifests[1]?.layers[1]?.digest)
})

test('images: there is nothing in them but Node, its libraries and the program', { skip: notLinux }, () => {
  const entries = tree(join(directory, 'rootfs/base'), join(directory, 'rootfs/sidecar'))
  const files = Object.keys(entries).filter((path) => !entries[path]?.endsWith('directory'))
  const libraries = /^lib(64|\/[a-z0-9_-]+)\/(ld-linux-[a-z0-9-]+|lib(atomic|dl|m|stdc\+\+|gcc_s|pthread|c))\.so\.\d$/
  const chunks = /^app\/main-chunks\/[\w-]+\.mjs$/
  const others = files.filter((file) => !libraries.test(file) && !chunks.test(file))
  assert.deepEqual(others.sort(), ['app/main.mjs', 'etc/group', 'etc/nsswitch.conf', 'etc/passwd', 'usr/bin/node'])
})

test(
  'images: the program starts from its own files alone, as a user without rights',
  { skip: notLinux || notRoot },
  () => {
    const all = join(directory, 'whole')
    for (const part of ['base', 'tradewind']) cpSync(join(directory, 'rootfs', part), all, { recursive: true })
    const chroot = ['--userspec=65532:65532', all, '/usr/bin/node']
    const within = (...args: string[]) =>
      execFileSync(which('chroot') ?? 'chroot', [...chroot, ...args], { encoding: 'utf8', env: {} })
    assert.match(within('/app/main.mjs', '--help'), /tradewind/)
    assert.equal(within('-p', 'process.version').trim(), process.version)
    const lookup = `require('dns').lookup('localhost.invalid', (e) => console.log(e.code))`
    assert.match(within('-e', lookup), /ENOTFOUND|EAI_AGAIN/, 'the resolver of the C library loads')
  },
)

test(
  'images: the Dockerfile makes the same of the same trees',
  { skip: notLinux || notRoot || needs('buildah') },
  () => {
    copyFileSync(join(root, 'Dockerfile'), join(directory, 'Dockerfile'))
    cpSync(join(directory, 'rootfs'), join(directory, 'dist/rootfs'), { recursive: true })
    const storage = ['--root', join(directory, 'storage'), '--runroot', join(directory, 'run')]
    const options = { encoding: 'utf8', cwd: directory, stdio: 'pipe' } as const
    const buildah = (...args: string[]) =>
      execFileSync('buildah', [...storage, '--storage-driver', 'vfs', ...args], options).trim()
    buildah('bud', '--isolation', 'chroot', '--build-arg', 'PROGRAM=sidecar', '--tag', 'built', '.')
    const container = buildah('from', '--pull-never', 'built')
    const mounted = buildah('mount', container)
    try {
      assert.deepEqual(tree(mounted), tree(join(directory, 'rootfs/base'), join(directory, 'rootfs/sidecar')))
      // Buildah's own description of an image, the OCI's inside of it.
      const { OCIv1: built } = JSON.parse(buildah('inspect', '--type', 'image', 'built')) as { OCIv1: Config }
      const [sidecar] = images
      assert.ok(sidecar)
      const settings = ({ config: { User, Env, Entrypoint } }: Config) => ({ User, Env, Entrypoint })
      assert.deepEqual(settings(built), settings(readConfig(sidecar)))
    } finally {
      buildah('rm', container)
    }
  },
)

/** What is below the roots, laid over one another: the mode of each directory, mode and content of each file. */
function tree(...roots: readonly string[]): Readonly<Record<string, string>> {
  const entries: Record<string, string> = {}
  for (const root of roots) {
    for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      const mode = (lstatSync(path).mode & 0o7777).toString(8)
      const content = entry.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : 'directory'
      entries[relative(root, path)] = `${mode} ${content}`
    }
  }
  return entries
}
