import type { Reply } from '../exchange.ts'
import { inferenceErrors } from './infer.ts'
import type { Surface } from './surface.ts'

const STATES: ReadonlyMap<string, string> = new Map([
  ['/v2/health/live', 'live'],
  ['/v2/health/ready', 'ready'],
])

/** The health of an Open Inference server, which is the sidecar's own: that of a model is asked for by its name (`infer.ts`). */
export const health = {
  name: 'health',
  operation: 'health',
  paths: [],
  find: (path) => (STATES.has(path) ? { path, method: 'GET' } : undefined),
  ...inferenceErrors,
} as const satisfies Surface

/** The answer of a sidecar that has its configuration; without one there is the error of that. */
export function healthReply(path: string): Reply {
  return {
    status: 200,
    headers: ['content-type', 'application/json'],
    body: Buffer.from(JSON.stringify({ [STATES.get(path) ?? '']: true })),
  }
}
