// Installs what the wider tests need: Debian packages when root, servers built with Go and the Python SDKs, into the user's cache.
// What cannot be installed here is said, and is no error: the tests that need it are then skipped, or fail under CI.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { constants, setPriority } from 'node:os'
import { dirname, join } from 'node:path'
import { withLock } from './lock.ts'
import { missingPackages } from './packages.ts'
import { pythonEnvironment } from './python.ts'
import { buildRoot, servers, serversDirectory, type Server } from './servers.ts'

// Everything started from here gives way to the tests that run beside it.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL)

function run(command: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
  return new Promise<void>((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
    child.on('error', reject)
    child.on('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`${command} ${args.join(' ')} ended with ${code}:\n${output.slice(-4000)}`))
    })
  })
}

function isInstalled(command: string, ...args: string[]): boolean {
  try {
    execFileSync(command, args, { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

async function installPackages(): Promise<void> {
  const packages = missingPackages()
  if (packages.length === 0) return
  if (process.getuid?.() !== 0 || !isInstalled('apt-get', '--version')) {
    return console.log(`servers: not installed, for lack of root or apt: ${packages.join(' ')}`)
  }
  console.log(`servers: apt-get install ${packages.join(' ')}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const options = ['-qq', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3']
  await run('apt-get', [...options, 'update'], { env })
  await run('apt-get', [...options, 'install', '-y', '--no-install-recommends', ...packages], { env })
}

/** Builds one server into a directory beside its place, then puts it there, whole. */
async function build({ name, module, package: path, tags, stamp = [] }: Server): Promise<void> {
  const start = performance.now()
  const temporary = mkdtempSync(join(dirname(serversDirectory), 'build-'))
  try {
    const flags = ['-trimpath', '-ldflags', ['-s', '-w', ...stamp.map((value) => `-X ${value}`)].join(' ')]
    if (tags) flags.push('-tags', tags)
    // The same CGO_ENABLED and -trimpath for all, so that they share the build cache.
    const env = { ...process.env, CGO_ENABLED: '0', GOBIN: temporary }
    const options = { cwd: join(buildRoot, module ?? '.'), env }
    if (module) await run('go', ['build', ...flags, '-o', join(temporary, name), path], options)
    else await run('go', ['install', ...flags, path], options)
    renameSync(join(temporary, name), join(serversDirectory, name))
    console.log(`servers: built ${name} in ${((performance.now() - start) / 1000).toFixed(0)} s`)
  } finally {
    rmSync(temporary, { recursive: true })
  }
}

const missing = () =>
  servers.filter(
    ({ name, cluster }) => (!cluster || process.platform === 'linux') && !existsSync(join(serversDirectory, name)),
  )

async function buildServers(): Promise<void> {
  if (missing().length === 0) return
  if (!isInstalled('go', 'version'))
    return console.log(`servers: not built, for lack of Go: ${missing().length} programs`)
  mkdirSync(serversDirectory, { recursive: true })
  await withLock(join(dirname(serversDirectory), 'lock'), async () => {
    for (const server of missing()) await build(server)
  })
}

async function makePython(): Promise<void> {
  const environment = await pythonEnvironment()
  if ('missing' in environment) console.log(`servers: ${environment.missing}`)
}

const packages = async () => {
  try {
    await installPackages()
  } finally {
    await makePython()
  }
}
const outcomes = await Promise.allSettled([packages(), buildServers()])
for (const outcome of outcomes) {
  if (outcome.status === 'rejected')
    console.log(`servers: ${outcome.reason instanceof Error ? outcome.reason.message : outcome.reason}`)
}
console.log(
  missing().length === 0
    ? `servers: all in ${serversDirectory}`
    : `servers: missing ${missing()
        .map(({ name }) => name)
        .join(' ')}`,
)
