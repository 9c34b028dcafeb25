import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { constants, zstdCompressSync } from 'node:zlib'

/** A layer: a directory as a tar, the same bytes for the same tree. */
export interface Layer {
  /** Of the tar, uncompressed. */
  readonly diffId: string
  readonly compressed: Buffer
}

export interface ImageConfig {
  readonly user: string
  readonly entrypoint: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly labels: Readonly<Record<string, string>>
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

/** Packs the tree at `root`, whoever owns it here and whenever it was made. */
export function layer(root: string): Layer {
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=ustar']
  const tar = execFileSync('tar', ['-C', root, ...same, '-cf', '-', '.'], { maxBuffer: 1 << 30 })
  return {
    diffId: digest(tar),
    compressed: zstdCompressSync(tar, { params: { [constants.ZSTD_c_compressionLevel]: 9 } }),
  }
}

/** Writes the archive of one image (OCI image layout 1.1, as a tar) to `path`, and returns the digest of its manifest: what pulls it by digest. */
export function writeArchive(path: string, reference: string, layers: readonly Layer[], config: ImageConfig): string {
  const blobs = new Map<string, Buffer>()
  const blob = (mediaType: string, content: Buffer) => {
    const id = digest(content)
    blobs.set(id, content)
    return { mediaType, digest: id, size: content.length }
  }
  const oci = (kind: string) => `application/vnd.oci.image.${kind}`
  const platform = { architecture: architectures[process.arch] ?? process.arch, os: 'linux' }
  const manifest = blob(
    oci('manifest.v1+json'),
    json({
      schemaVersion: 2,
      mediaType: oci('manifest.v1+json'),
      config: blob(
        oci('config.v1+json'),
        json({
          ...platform,
          config: {
            User: config.user,
            Env: Object.entries(config.env).map(([name, value]) => `${name}=${value}`),
            Entrypoint: config.entrypoint,
            WorkingDir: '/app',
            Labels: config.labels,
          },
          rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
        }),
      ),
      layers: layers.map(({ compressed }) => blob(oci('layer.v1.tar+zstd'), compressed)),
    }),
  )
  const annotations = {
    // The first is what containerd names it by, the second what the specification says.
    'io.containerd.image.name': reference,
    'org.opencontainers.image.ref.name': reference.slice(reference.lastIndexOf(':') + 1),
  }
  mkdirSync(dirname(path), { recursive: true })
  const layout = mkdtempSync(join(dirname(path), '.layout-'))
  mkdirSync(join(layout, 'blobs/sha256'), { recursive: true })
  for (const [id, content] of blobs) writeFileSync(join(layout, 'blobs', id.replace(':', '/')), content)
  writeFileSync(join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }))
  writeFileSync(
    join(layout, 'index.json'),
    json({
      schemaVersion: 2,
      mediaType: oci('index.v1+json'),
      manifests: [{ ...manifest, platform, annotations }],
    }),
  )
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX']
  execFileSync('tar', ['-C', layout, ...same, '-cf', path, 'blobs', 'index.json', 'oci-layout'])
  rmSync(layout, { recursive: true })
  return manifest.digest
}

function digest(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}
