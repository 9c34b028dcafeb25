import express, { type Express, type Request, type Response } from 'express'
import { Agent, request as send } from 'undici'
import { GROUP } from '../api/resource.ts'
import { ApiError, type ApiServer } from './api-server.ts'
import { Refused } from './authenticate.ts'
import type { Compiled } from './compile/index.ts'
import type { Fleet } from './fleet.ts'
import type { Leadership } from './lead.ts'
import { quiet } from './listen.ts'
import { OVERVIEW_PATH, overview } from './overview.ts'
import { bearerToken } from './sockets.ts'

export interface AdminOptions {
  readonly api: ApiServer
  readonly compiled: () => Compiled | undefined
  readonly fleet: () => Fleet
  readonly leadership: () => Leadership
  readonly trusted: () => string
  /** The name in the leader's certificate. */
  readonly serverName: string
}

/** Says that a replica has passed a request on, so that it goes no further. */
const PASSED = 'x-tradewind-passed'
const PATIENCE = 10_000

/**
 * The operator's own API: `GET /v1/status?namespace=NAME` for those who may `list` `sidecars.tradewind.dev` there (everywhere, without a
 * namespace). Whether they may, the API server says, asked with their own token. Only the leader knows the whole fleet: others pass it on.
 */
export function adminApi(options: AdminOptions): Express {
  const answer = async (request: Request, response: Response): Promise<void> => {
    const { namespace } = request.query
    try {
      if (namespace !== undefined && typeof namespace !== 'string') throw new Refused(400, 'One namespace at most.')
      const token = bearerToken(request)
      await allow(options.api, token, namespace)
      const { leading, address } = options.leadership()
      if (!leading && address && !request.headers[PASSED]) {
        const { status, body } = await passOn(options, address, request.url, token ?? '')
        response.status(status).type('json').send(body)
        return
      }
      const compiled = options.compiled()
      if (!compiled) throw new Refused(503, 'The operator has not seen the whole cluster yet.')
      response.json(overview(compiled, options.fleet(), (it) => namespace === undefined || it === namespace))
    } catch (error) {
      const { status, message } = error instanceof Refused ? error : { status: 502, message: String(error) }
      response.status(status).json({ error: { message } })
    }
  }
  const app = quiet(express())
  app.get(OVERVIEW_PATH, (request, response) => void answer(request, response))
  app.use((request, response) => {
    response.status(404).json({ error: { message: `There is nothing at ${request.path}.` } })
  })
  return app
}

/** Resolves where the token's bearer may see the sidecars; rejects with `Refused`. */
async function allow(api: ApiServer, token: string | undefined, namespace: string | undefined): Promise<void> {
  if (!token) throw new Refused(401, 'No token: send one for the API server as `Authorization: Bearer …`.')
  const resourceAttributes = { verb: 'list', group: GROUP, resource: 'sidecars', ...(namespace ? { namespace } : {}) }
  let allowed: boolean | undefined
  try {
    const review = await api.call<{ status?: { allowed?: boolean } }>(
      'POST',
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      {
        token,
        body: {
          apiVersion: 'authorization.k8s.io/v1',
          kind: 'SelfSubjectAccessReview',
          spec: { resourceAttributes },
        },
      },
    )
    allowed = review.status?.allowed
  } catch (error) {
    if (error instanceof ApiError && error.status === 401)
      throw new Refused(401, 'The API server does not know the token.')
    throw error
  }
  if (!allowed)
    throw new Refused(
      403,
      `You may not list sidecars.${GROUP} ${namespace ? `in namespace ${namespace}` : 'in all namespaces'}.`,
    )
}

async function passOn({ trusted, serverName }: AdminOptions, address: string, path: string, token: string) {
  const agent = new Agent({ connect: { ca: trusted(), servername: serverName } })
  try {
    const { statusCode, body } = await send(`https://${address}${path}`, {
      dispatcher: agent,
      headers: { authorization: `Bearer ${token}`, [PASSED]: 'true' },
      signal: AbortSignal.timeout(PATIENCE),
    })
    return { status: statusCode, body: await body.text() }
  } finally {
    await agent.close()
  }
}
