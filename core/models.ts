import { Failure } from './errors.ts'
import type { Reply } from './exchange.ts'
import type { Route, RouteTable } from './routes.ts'

const LIST = '/v1/models'

/**
 * The answer to `GET /v1/models` and `GET /v1/models/{id}` (https://platform.openai.com/docs/api-reference/models): the names that the
 * pod's routes offer; where a route takes any, each name that is asked for is there. Throws `model_not_found`.
 */
export function modelReply<Entry>(table: RouteTable<Entry>, path: string): Reply {
  if (path === LIST) return reply({ object: 'list', data: [...table.models].map(([id, route]) => model(id, route)) })
  const id = decode(path.slice(LIST.length + 1))
  return reply(model(id, table.routeOf(id)))
}

const model = <Entry>(id: string, route: Route<Entry>) => ({
  id,
  object: 'model',
  created: Math.floor(route.created / 1000),
  owned_by: route.name,
})

const reply = (value: unknown): Reply => ({
  status: 200,
  headers: ['content-type', 'application/json'],
  body: Buffer.from(JSON.stringify(value)),
})

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw new Failure('model_not_found', { detail: 'The name is not a URL-encoded string.', cause: error })
  }
}
