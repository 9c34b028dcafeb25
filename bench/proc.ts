import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts CPU time in USER_HZ, which is 100 on every architecture that matters here (proc(5), sysconf(_SC_CLK_TCK)). */
const tick = 10_000

interface Entry {
  readonly pid: number
  readonly parent: number
  readonly ticks: number
}

function read(pid: string): Entry | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The command's name may hold spaces and parentheses: fields count from the last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return { pid: Number(pid), parent: Number(fields[1]), ticks: Number(fields[11]) + Number(fields[12]) }
  } catch {
    return undefined // it has ended since the directory was listed
  }
}

/** A process and all that descend from it. */
function tree(pid: number): readonly Entry[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(read)
    .filter((entry) => entry !== undefined)
  const found = new Set([pid])
  for (let size = 0; size !== found.size;) {
    size = found.size
    for (const entry of all) if (found.has(entry.parent)) found.add(entry.pid)
  }
  return all.filter((entry) => found.has(entry.pid))
}

/** User and system time of the process tree so far, in microseconds (grain: 10 ms). */
export function cpuTime(pid: number): number {
  return tree(pid).reduce((sum, { ticks }) => sum + ticks, 0) * tick
}

/** Resident memory of the process tree, MiB. What two of its processes share counts for each, so that no other process changes the figure. */
export function resident(pid: number): number {
  return tree(pid).reduce((sum, entry) => sum + kibibytes(entry.pid), 0) / 1024
}

function kibibytes(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0)
  } catch {
    return 0 // it has ended
  }
}
