import type { CacheMark } from '../../chat.ts'

/** A block that is being written. */
export type Block = Record<string, unknown>

const MOST = 4

/** The block that says: keep the prompt up to here. */
export function cachePoint(cache: CacheMark): Block {
  return { cachePoint: { type: 'default', ...(cache === '1h' ? { ttl: '1h' } : {}) } }
}

/**
 * Keeps cache points within what the API takes (https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html): at most four,
 * of which the last reach the farthest, and none of five minutes before one of an hour, so that an earlier one is raised. `hour`: the model
 * keeps prompts for an hour. `lists`: all that points stand in, in the order of the prompt; points are taken out of them. Returns whether
 * any were taken out or shortened.
 */
export function settleCachePoints(lists: readonly Block[][], hour: boolean): boolean {
  const points = lists.flatMap((list) => list.filter((block) => block['cachePoint'] !== undefined))
  const kept = new Set(points.slice(-MOST))
  for (const list of lists) {
    const stay = list.filter((block) => block['cachePoint'] === undefined || kept.has(block))
    list.splice(0, list.length, ...stay)
  }
  let long = false
  let lost = points.length > MOST
  for (const block of [...kept].toReversed()) {
    const asked = JSON.stringify(block['cachePoint']).includes('1h')
    long ||= asked && hour
    lost ||= asked && !hour
    block['cachePoint'] = cachePoint(long ? '1h' : '5m')['cachePoint']
  }
  return lost
}
