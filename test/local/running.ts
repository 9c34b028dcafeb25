import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { startChild } from '../helpers/child.ts'
import type { Child } from '../helpers/child.ts'
import { eventually } from '../helpers/eventually.ts'
import { scratch } from '../helpers/scratch.ts'

export const root = join(import.meta.dirname, '../..')
export const program = join(root, 'cli/main.ts')

export interface Running {
  readonly child: Child
  /** Where requests go, without `/v1`. */
  readonly url: string
  readonly admin: string
  /** All that it printed. */
  readonly printed: () => string
}

/** Puts a run's own ports in the place of those that pages name; a port that only begins like one of them stays. */
export function withPorts(command: string, { url, admin }: Pick<Running, 'url' | 'admin'>): string {
  return command.replace(/http:\/\/127\.0\.0\.1:414([12])(?!\d)/g, (_, last) => (last === '1' ? url : admin))
}

/** `tradewind run` of a directory, as people start it, on free ports, until the test ends. Resolves when it says where to send requests. */
export async function run(
  t: TestContext,
  directory: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
  cwd = root,
): Promise<Running> {
  const folder = scratch('run')
  const free = ['--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0']
  const child = startChild(process.execPath, [program, 'run', directory, ...free, ...args], {
    log: join(folder, 'log'),
    env: { ...process.env, ...env },
    cwd,
  })
  t.after(async () => {
    await child.stop(10_000)
    rmSync(folder, { recursive: true })
  })
  const printed = () => child.log(Infinity)
  const said = await eventually(
    () => {
      const found = /Send requests to (\S+)\/v1 .* explain to (\S+)/.exec(printed())
      if (!found) throw new Error(`it does not say where to send requests:\n${printed()}`)
      return found
    },
    { within: child.hasEnded() ? 0 : 30_000, every: 50 },
  )
  const [, url = '', admin = ''] = said
  return { child, url, admin, printed }
}
