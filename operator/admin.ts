import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { allow, nameOf } from './access.ts'
import type { Deed } from './access.ts'
import type { ApiServer } from './api-server.ts'
import { Refused } from './authenticate.ts'
import { routeDetail } from './board/board.ts'
import type { Compiled } from './compile/index.ts'
import { dashboard } from './dashboard.ts'
import { EXPERIMENTS_PATH, experimentsOf } from './experiment-api.ts'
import type { Experiments } from './experiments.ts'
import type { Fleet } from './fleet.ts'
import type { Leadership } from './lead.ts'
import type { Totals } from './status/mirrors.ts'
import { quiet } from './listen.ts'
import { OVERVIEW_PATH, overview } from './overview.ts'
import { isPassedOn, passOn } from './pass-on.ts'
import { ROLLOUTS_PATH, act, actionOf, rolloutAt, rolloutsOf } from './rollout-api.ts'
import type { RolloutName, RolloutsApi } from './rollout-api.ts'
import { bearerToken } from './sockets.ts'
import { PARTS, WATCH_PATH, readParts } from './watch.ts'
import type { Part, Watch } from './watch.ts'

export interface AdminOptions {
  readonly api: ApiServer
  readonly compiled: () => Compiled | undefined
  readonly fleet: () => Fleet
  /** What the sidecars have counted. */
  readonly totals: Totals
  readonly rollouts: RolloutsApi
  readonly experiments: Pick<Experiments, 'views'>
  readonly watch: Watch
  /** Whether the dashboard is served. */
  readonly dashboard: boolean
  readonly leadership: () => Leadership
  readonly trusted: () => string
  /** The name in the leader's certificate. */
  readonly serverName: string
}

/** Which right to a part one must have who reads it, or follows it. */
const READ: Readonly<Record<Part, Deed>> = {
  status: { verb: 'list', resource: 'sidecars' },
  rollouts: { verb: 'list', resource: 'rollouts' },
  board: { verb: 'list', resource: 'sidecars' },
}
const FOLLOW: typeof READ = { ...READ, rollouts: { verb: 'watch', resource: 'rollouts' } }
/** How often it is asked anew whether one who watches still may, ms. */
const AGAIN = 60_000

/**
 * The operator's own API. Whether one may, the API server says, asked with the caller's own token: each right is one of RBAC in group
 * tradewind.dev, in the namespace that was asked for (everywhere, without one). Only the leader knows the whole fleet and moves rollouts:
 * other replicas pass on to it.
 * ```
 * GET  /v1/status?namespace=NAME                     list sidecars
 * GET  /v1/status?namespace=NAME&route=NAMESPACE/NAME    the same, and more of one route: RouteDetail of api/board.ts
 * GET  /v1/rollouts?namespace=NAME                   list rollouts
 * GET  /v1/experiments?namespace=NAME                list rollouts
 * GET  /v1/watch?namespace=NAME&parts=status,rollouts,board    list sidecars, watch rollouts; see Watch for what comes
 * GET  /v1/rollouts/NAMESPACE/ROUTE/RULE             get rollouts, with the route's name
 * POST /v1/rollouts/NAMESPACE/ROUTE/RULE {"action": VERB}    VERB rollouts, with the route's name
 * GET  /, /assets/…                                  the dashboard, to everybody: what it shows it asks for with its user's token
 * ```
 * What is wrong is answered as `{"error": {"message"}}`: 400, 401, 403, 404, 409 where the phase of the rollout forbids it, 503.
 */
export function adminApi(options: AdminOptions): Express {
  const { api, rollouts, experiments, watch } = options
  /** Lets in who may, has the leader answer, or answers. */
  const page =
    (
      deeds: (request: Request) => readonly Deed[],
      answer: (request: Request, response: Response) => Promise<unknown>,
    ) =>
    async (request: Request, response: Response): Promise<void> => {
      try {
        for (const deed of deeds(request)) await allow(api, bearerToken(request), deed)
        const { leading, address } = options.leadership()
        if (!leading && address && !isPassedOn(request)) {
          const { trusted, serverName } = options
          return await passOn({ address, trusted: trusted(), serverName }, request, response)
        }
        await answer(request, response)
      } catch (error) {
        const { status, message } = error instanceof Refused ? error : { status: 502, message: String(error) }
        response.status(status).json({ error: { message } })
      }
    }
  const read = (part: keyof typeof READ) => (request: Request) => [{ ...READ[part], namespace: namespaceOf(request) }]
  const follow = (request: Request) =>
    [...partsOf(request)].map((part) => ({ ...FOLLOW[part], namespace: namespaceOf(request) }))

  const app = quiet(express())
  app.get(
    OVERVIEW_PATH,
    page(read('status'), async (request, response) => {
      const compiled = options.compiled()
      if (!compiled) throw new Refused(503, 'The operator has not seen the whole cluster yet.')
      const namespace = namespaceOf(request)
      const route = routeOf(request)
      if (route !== undefined) {
        const found = routeDetail(compiled, options.fleet(), route, options.totals)
        if (!found) throw new Refused(404, `There is no route ${route}.`)
        return response.json(found)
      }
      const visible = (it: string) => namespace === undefined || it === namespace
      response.json(overview(compiled, options.fleet(), visible, options.totals))
    }),
  )
  app.get(
    ROLLOUTS_PATH,
    page(read('rollouts'), async (request, response) => response.json(rolloutsOf(rollouts, namespaceOf(request)))),
  )
  app.get(
    `${ROLLOUTS_PATH}/:namespace/:route/:rule`,
    page(
      (request) => {
        const { namespace, route } = placeOf(request)
        return [{ verb: 'get', resource: 'rollouts', namespace, name: route }]
      },
      async (request, response) => response.json(rolloutAt(rollouts, placeOf(request))),
    ),
  )
  app.get(
    EXPERIMENTS_PATH,
    page(read('rollouts'), async (request, response) =>
      response.json(experimentsOf(experiments, namespaceOf(request))),
    ),
  )
  app.get(
    WATCH_PATH,
    page(follow, async (request, response) => {
      if (watch.full) throw new Refused(503, 'As many are watching as may: try again in a while.')
      const token = bearerToken(request)
      const check = async () => {
        for (const deed of follow(request)) await allow(api, token, deed)
      }
      const timer = setInterval(() => {
        // That the API server does not answer is nobody's fault.
        void check().catch((error: unknown) => {
          if (error instanceof Refused) watch.end(error.message, response)
        })
      }, AGAIN).unref()
      await watch.follow(response, { namespace: namespaceOf(request), parts: partsOf(request) })
      clearInterval(timer)
    }),
  )
  app.post(
    `${ROLLOUTS_PATH}/:namespace/:route/:rule`,
    jsonOnly,
    express.json({ limit: '16kb' }),
    page(
      (request) => {
        const { namespace, route } = placeOf(request)
        return [{ verb: actionOf(request.body), resource: 'rollouts', namespace, name: route }]
      },
      async (request, response) => {
        const by = await nameOf(api, bearerToken(request))
        response.json(await act(rollouts, placeOf(request), actionOf(request.body), by))
      },
    ),
  )
  if (options.dashboard) app.use(dashboard())
  app.use((error: unknown, _: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error)
    response.status(400).json({ error: { message: 'The body is not JSON, or too large.' } })
  })
  app.use((request, response) => {
    response.status(404).json({ error: { message: `There is nothing at ${request.path}.` } })
  })
  return app
}

function namespaceOf({ query: { namespace } }: Request): string | undefined {
  if (namespace !== undefined && typeof namespace !== 'string') throw new Refused(400, 'One namespace at most.')
  return namespace
}

/** The one route that more is to be told of: one of the namespace that was asked for, to which the right is. */
function routeOf(request: Request): string | undefined {
  const { route } = request.query
  if (route === undefined) return undefined
  const namespace = namespaceOf(request)
  if (typeof route !== 'string') throw new Refused(400, 'One route at most.')
  if (namespace !== undefined && !route.startsWith(`${namespace}/`))
    throw new Refused(400, `route must be one of namespace ${namespace}, as NAMESPACE/NAME.`)
  return route
}

function partsOf({ query: { parts } }: Request): ReadonlySet<Part> {
  const read = parts === undefined || typeof parts === 'string' ? readParts(parts) : undefined
  if (!read) throw new Refused(400, `parts must be of ${PARTS.join(', ')}, with commas.`)
  return read
}

function placeOf({ params: { namespace, route, rule } }: Request): RolloutName {
  return { namespace: String(namespace), route: String(route), rule: String(rule) }
}

/** A form of a page elsewhere could post anything else. */
function jsonOnly(request: Request, response: Response, next: NextFunction): void {
  if (request.is('application/json')) return next()
  response.status(415).json({ error: { message: 'Send JSON, with `content-type: application/json`.' } })
}
