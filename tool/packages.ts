import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * The Debian packages of the one-node cluster, the images, the shells' completions, the dashboard's tests (a browser, and letters for it) and
 * the Python SDKs, each with a file or a command that it brings.
 */
const packages: Readonly<Record<string, string>> = {
  runc: 'runc',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  nftables: 'nft',
  iproute2: 'ip',
  procps: 'sysctl',
  openssl: 'openssl',
  binutils: 'strip',
  buildah: 'buildah',
  zsh: 'zsh',
  fish: 'fish',
  chromium: 'chromium',
  'fonts-dejavu-core': '/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf',
  'python3-venv': '/usr/share/doc/python3-venv',
}

/** Where `command` is, on the PATH or where only root's PATH looks; undefined when it is nowhere. */
export function which(command: string): string | undefined {
  if (command.startsWith('/')) return existsSync(command) ? command : undefined
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return directories.map((directory) => join(directory, command)).find((path) => existsSync(path))
}

/** The packages that are not installed: none where there are no Debian packages to install. */
export function missingPackages(): string[] {
  if (process.platform !== 'linux') return []
  return Object.keys(packages).filter((name) => which(packages[name] ?? name) === undefined)
}
