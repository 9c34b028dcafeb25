/** A block that is being written. */
export type Block = Record<string, unknown>

const MOST = 4

/**
 * Keeps cache marks within what the API takes: at most four, and none of five minutes before one of an hour
 * (https://platform.claude.com/docs/en/build-with-claude/prompt-caching). Of more than four the last stay, since each reaches the farthest;
 * an earlier one is raised to an hour where a later one has it. `blocks`: all that can bear marks, in the order of the prompt. Returns
 * whether marks were taken off.
 */
export function settleMarks(blocks: readonly Block[]): boolean {
  const marked = blocks.filter((block) => block['cache_control'] !== undefined)
  for (const block of marked.slice(0, -MOST)) delete block['cache_control']
  let hour = false
  for (const block of marked.slice(-MOST).toReversed()) {
    hour ||= isHour(block['cache_control'])
    if (hour) block['cache_control'] = mark('1h').cache_control
  }
  return marked.length > MOST
}

/** The member that marks a block; empty where there is no mark. */
export function mark(cache: '5m' | '1h'): { readonly cache_control: unknown }
export function mark(cache: '5m' | '1h' | undefined): { readonly cache_control?: unknown }
export function mark(cache: '5m' | '1h' | undefined): { readonly cache_control?: unknown } {
  if (!cache) return {}
  return { cache_control: cache === '1h' ? { type: 'ephemeral', ttl: '1h' } : { type: 'ephemeral' } }
}

function isHour(control: unknown): boolean {
  return typeof control === 'object' && control !== null && 'ttl' in control && control.ttl === '1h'
}
