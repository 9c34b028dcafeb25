import { Refused } from '../../operator/authenticate.ts'
import { ROLLOUTS_PATH, act, actionOf, rolloutAt, rolloutsOf } from '../../operator/rollout-api.ts'
import type { RolloutName, RolloutsApi } from '../../operator/rollout-api.ts'
import { PARTS, WATCH_PATH, readParts } from '../../operator/watch.ts'
import type { Watch } from '../../operator/watch.ts'
import { problem } from '../../sidecar/json-server.ts'
import type { Answer, Pages } from '../../sidecar/json-server.ts'

/** Who it was that did something by the admin port, where nobody has a name. */
const BY = 'local'

/**
 * The operator's own API, on the admin port of a local run: there are no users and no rights, but it is on loopback, and pages of other
 * origins are refused (see `adminServer`); so are forms, which could post anything but JSON.
 */
export function rolloutPages(engine: RolloutsApi, watch: Watch): Pages {
  return {
    [`GET ${ROLLOUTS_PATH}`]: ({ query }) => ({ body: rolloutsOf(engine, query.get('namespace') ?? undefined) }),
    [`GET ${ROLLOUTS_PATH}/*`]: ({ path }) => answered(async () => rolloutAt(engine, placeOf(path))),
    [`POST ${ROLLOUTS_PATH}/*`]: ({ path, contentType, body }) =>
      contentType === 'application/json'
        ? answered(() => act(engine, placeOf(path), actionOf(parsed(body)), BY))
        : problem(415, 'Send JSON, with `content-type: application/json`.'),
    [`GET ${WATCH_PATH}`]: ({ query }) => {
      const parts = readParts(query.get('parts') ?? undefined)
      if (!parts) return problem(400, `parts must be of ${PARTS.join(', ')}, with commas.`)
      if (watch.full) return problem(503, 'As many are watching as may: try again in a while.')
      const namespace = query.get('namespace') ?? undefined
      return { tell: (response) => void watch.follow(response, { namespace, parts }) }
    },
  }
}

function placeOf(path: string): RolloutName {
  const [namespace, route, rule, ...rest] = path
    .slice(ROLLOUTS_PATH.length + 1)
    .split('/')
    .map(decodeURIComponent)
  if (namespace && route && rule && rest.length === 0) return { namespace, route, rule }
  throw new Refused(404, `It is ${ROLLOUTS_PATH}/NAMESPACE/ROUTE/RULE.`)
}

async function answered(answer: () => Promise<object>): Promise<Answer> {
  try {
    return { body: await answer() }
  } catch (error) {
    if (error instanceof Refused) return problem(error.status, error.message)
    throw error
  }
}

/** Undefined where it is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
