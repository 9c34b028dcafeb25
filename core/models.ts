import { Failure } from './errors.ts'
import type { Reply } from './exchange.ts'
import type { Route, RouteTable } from './routes.ts'

const LIST = '/v1/models'

/**
 * The answer to `GET /v1/models` and `GET /v1/models/{id}` (https://platform.openai.com/docs/api-reference/models): the names that the
 * pod's routes offer; where a route takes any, each name that is asked for is there. Anthropic has the same paths
 * (https://platform.claude.com/docs/en/api/models/list), and its members stand beside OpenAI's. Throws `model_not_found`.
 */
export function modelReply<Entry>(table: RouteTable<Entry>, path: string): Reply {
  if (path === LIST) {
    const data = [...table.models].map(([id, route]) => model(id, route))
    const ends = { first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null }
    return reply({ object: 'list', data, has_more: false, ...ends })
  }
  const id = decode(path.slice(LIST.length + 1))
  return reply(model(id, table.routeOf(id)))
}

const model = <Entry>(id: string, route: Route<Entry>) => ({
  id,
  object: 'model',
  created: Math.floor(route.created / 1000),
  owned_by: route.name,
  type: 'model',
  display_name: id,
  created_at: new Date(route.created).toISOString(),
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
