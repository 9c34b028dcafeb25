import type { Condition } from './match.ts'

/** The path; a prefix matches whole elements only: `/v2` matches `/v2/models`, not `/v20`. */
export const path: Condition = {
  compile({ path }) {
    if (!path) return undefined
    const { type, value } = path
    if (type === 'Exact') return (asked) => asked.path === value
    const folder = value.endsWith('/') ? value : `${value}/`
    const itself = folder.slice(0, -1)
    return (asked) => asked.path === itself || asked.path.startsWith(folder)
  },
  misses: ({ path }) => `the path is not ${path?.type === 'Prefix' ? 'below ' : ''}${path?.value}`,
}
