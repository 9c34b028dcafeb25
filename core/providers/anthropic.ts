import { foreignArtefacts } from '../dialects/anthropic/foreign-artefacts.ts'
import { traitsOf } from '../dialects/anthropic/model-traits.ts'
import { anthropicTarget, betaHeaders, VERSION } from '../dialects/anthropic/target.ts'
import { array, object, optional, string } from '../schema.ts'
import type { Provider } from './provider.ts'

const schema = object(
  {
    version: optional(
      string({
        maxLength: 10,
        pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
        description: `The version of the API, where the caller names none; ${VERSION} unless given. From 2026-10-21 on it takes no temperature, top_p and top_k.`,
      }),
    ),
    beta: array(
      string({ minLength: 1, maxLength: 100, pattern: '^[a-zA-Z0-9._-]+$', description: 'The name of a beta.' }),
      {
        default: [],
        maxItems: 20,
        set: true,
        description: 'Betas that every request takes part in, besides those that the caller names.',
      },
    ),
  },
  { description: 'Settings of Anthropic.' },
)

/** The SDK's own paths, which its base URL does not hold the version of. */
const paths: ReadonlyMap<string, string> = new Map([
  ['messages', '/v1/messages'],
  ['count_tokens', '/v1/messages/count_tokens'],
])

/** https://platform.claude.com/docs/en/api/overview */
export const anthropic = {
  type: 'Anthropic',
  genAi: 'anthropic',
  settings: { name: 'anthropic', schema },
  url: () => 'https://api.anthropic.com',
  // OAuth tokens (sk-ant-oat…) stay bearers: the API takes each in its own header only.
  auth: { type: 'key', header: (key) => ['x-api-key', key], isKey: /^sk-ant-(?!oat)/ },
  native(surface, _model, _stream, settings) {
    const path = paths.get(surface)
    if (path === undefined) return undefined
    const { version = VERSION, beta } = settings
    // A caller's request is of the version that its SDK names.
    return { path, headers: betaHeaders(beta), unlessGiven: ['anthropic-version', String(version)] }
  },
  edits: (surface, body, fields) => (surface === 'messages' ? foreignArtefacts(body, fields) : []),
  chat: () => anthropicTarget,
  prefill: (model, _, declared) => ((declared ?? traitsOf(model).prefill) ? { trims: true } : undefined),
} as const satisfies Provider
