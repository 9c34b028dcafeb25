import { execFileSync } from 'node:child_process'

/** What no tracked file may hold: it would tie the repository to one machine or to one registry. */
const forbidden = [
  ['a path of one machine', String.raw`(^|[^A-Za-z0-9_.})-])/(work|root|Users/[a-z]+|home/[a-z]+)/[A-Za-z0-9._]`],
  [
    'a package registry',
    String.raw`https?://(registry\.(npmjs|yarnpkg)|proxy\.golang|pypi\.|files\.pythonhosted|deb\.debian)`,
  ],
  ['where a package was fetched from', String.raw`^ *"resolved":`],
] as const

/** The tracked lines of the repository at `root` that hold something forbidden. Binary files are left out. */
export function checkTracked(root = '.'): string[] {
  return forbidden.flatMap(([what, pattern]) =>
    grep(root, pattern).map((line) => `${what}: ${line.length > 200 ? `${line.slice(0, 200)}…` : line}`),
  )
}

function grep(root: string, pattern: string): string[] {
  try {
    const found = execFileSync('git', ['grep', '-nIE', pattern], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 })
    return found.trimEnd().split('\n')
  } catch (error) {
    // git grep answers 1 when it found nothing, and more when it could not look.
    if (error instanceof Error && 'status' in error && error.status === 1) return []
    throw error
  }
}
