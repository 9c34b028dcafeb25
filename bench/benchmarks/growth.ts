import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Benchmark, Notes } from '../benchmark.ts'
import type { Step } from '../control/growth-step.ts'

const program = join(import.meta.dirname, '../control/growth-step.ts')

/** Routes, sidecars and namespaces; each row grows one of them. An edit of one route concerns the sidecars of its namespace. */
const SIZES = [
  [100, 10, 1],
  [1000, 10, 1],
  [10_000, 10, 1],
  [1000, 200, 10],
  [10_000, 200, 10],
  [10_000, 2000, 100],
] as const

/** What one edit costs the operator's own code (compile, push, acknowledgements, status), as routes and sidecars grow; no network in it. */
export const growth: Benchmark = {
  name: 'growth',
  about:
    'compile, push and status of one edit, and memory, as routes grow from 100 to 10,000 and sidecars from 10 to 2,000',
  without: ['direct', 'nginx', 'envoy', 'portkey'],
  async run(lab) {
    const all: Notes[] = []
    for (const [routes, sidecars, namespaces] of SIZES) {
      const notes = new Notes(`${routes} routes, ${sidecars} sidecars, ${namespaces} namespaces; one weight edited`)
      for (let round = 1; round <= lab.rounds; round += 1) {
        const { stdout } = await promisify(execFile)(
          process.execPath,
          ['--expose-gc', program, ...[routes, sidecars, namespaces, lab.quick ? 20 : 200].map(String)],
          { maxBuffer: 1 << 20 },
        )
        const step = JSON.parse(stdout) as Step // what that program prints
        const { whole, compile, push, acknowledge, status, slowest, bytes, pushes, heap, resident } = step
        notes.add('tradewind', 'whole_compile', 'ms', whole)
        notes.add('tradewind', 'compile', 'ms', compile)
        notes.add('tradewind', 'push', 'ms', push)
        notes.add('tradewind', 'acknowledge', 'ms', acknowledge)
        notes.add('tradewind', 'status', 'ms', status)
        notes.add('tradewind', 'edit_p99', 'ms', slowest)
        notes.add('tradewind', 'bytes_per_edit', 'B', bytes)
        notes.add('tradewind', 'pushes_per_edit', '', pushes)
        notes.add('tradewind', 'heap', 'MiB', heap)
        notes.add('tradewind', 'resident', 'MiB', resident)
        lab.log(`${routes} routes, ${sidecars} sidecars: compile ${compile.toFixed(2)} ms, push ${push.toFixed(2)} ms`)
      }
      all.push(notes)
    }
    return all.flatMap((notes) => notes.list())
  },
}
