import type { Json } from '../core/dialects/dialect.ts'
import { presetNames } from '../core/providers/presets.ts'
import { providers } from '../core/providers/index.ts'
import type { Auth, Provider } from '../core/providers/provider.ts'
import { defaultsOf } from '../core/schema.ts'
import { surfaces } from '../core/surfaces/index.ts'
import type { Surface } from '../core/surfaces/surface.ts'
import { table } from './reference.ts'

/** A row of the table: a provider, by a model of its where what it can depends on that. */
interface Row {
  readonly name: string
  readonly provider: Provider
  /** It can what any of these can. */
  readonly models: readonly string[]
  readonly settings: Json
}

/** Models by which a provider's abilities show, where one is not like another. */
const examples: Readonly<Record<string, readonly (readonly [name: string, ...models: string[]])[]>> = {
  VertexAI: [
    ['VertexAI, models of Google', 'gemini-2.5-flash'],
    ['VertexAI, models of Anthropic', 'claude-sonnet-4-5@20250929'],
  ],
  Bedrock: [
    [
      'Bedrock, each model what it can',
      'anthropic.claude-sonnet-4-5-20250929-v1:0',
      'amazon.titan-embed-text-v2:0',
      'cohere.rerank-v3-5:0',
    ],
  ],
}

/** Settings that have no default, each in the place of its own name. */
const placed: Readonly<Record<string, Json>> = Object.fromEntries(
  providers.map(({ type, settings }) => {
    const names = settings?.required ? Object.keys(settings.schema.properties ?? {}) : []
    // A region of Google's is told from its multi-regions by the number at its end.
    return [
      type,
      Object.fromEntries(names.map((name) => [name, name === 'location' ? 'REGION-1' : name.toUpperCase()])),
    ]
  }),
)

const rows: readonly Row[] = providers
  .filter(({ opaque }) => !opaque)
  .flatMap((provider) => {
    const settings: Json = {
      ...(provider.settings ? defaultsOf(provider.settings.schema) : {}),
      ...placed[provider.type],
    }
    if (provider.type === 'OpenAICompatible')
      return presetNames.map((preset) => ({
        name: `${provider.type}, ${preset}`,
        provider,
        models: ['a-model'],
        settings: { preset },
      }))
    return (examples[provider.type] ?? [[provider.type, 'a-model'] as const]).map(([name, ...models]) => ({
      name,
      provider,
      models,
      settings,
    }))
  })

/** The surfaces that ask something of a model. */
const asked = surfaces.filter(({ operation }) => operation !== 'models' && operation !== 'health')

/** Paths that carry more than the name of their surface. */
const shown: Readonly<Record<string, string>> = {
  generate_content: '`/v1beta/models/MODEL:generateContent`, `/v1beta/models/MODEL:streamGenerateContent?alt=sse`',
  generate_content_list: '`/v1beta/models/MODEL:streamGenerateContent`',
  embed_content: '`/v1beta/models/MODEL:embedContent`',
  count_content_tokens: '`/v1beta/models/MODEL:countTokens`',
  batch_embed_contents: '`/v1beta/models/MODEL:batchEmbedContents`',
  converse: '`/model/MODEL/converse`, `/model/MODEL/converse-stream`',
  infer: '`/v2/models/MODEL/infer`, `/v2/models/MODEL/versions/VERSION/infer`',
}

/** Whether a provider speaks a surface itself, answers it by translation, or not at all. */
function ability(row: Row, surface: Surface): 'speaks' | 'answers' | undefined {
  const all = row.models.map((model) => abilityOf(row, model, surface))
  return all.find((it) => it === 'speaks') ?? all.find((it) => it === 'answers')
}

function abilityOf({ provider, settings }: Row, model: string, surface: Surface): 'speaks' | 'answers' | undefined {
  const path = surface.paths[0] ?? ''
  if (provider.native(surface.name, model, false, settings, { path, method: 'POST', model })) return 'speaks'
  const can =
    surface.local !== undefined ||
    (surface.chat !== undefined && provider.chat !== undefined) ||
    (surface.embeddings && provider.embeddings?.(model, settings)) ||
    (surface.rerank && provider.rerank?.(model, settings))
  return can ? 'answers' : undefined
}

function credential(auth: Auth): string {
  if (auth.type === 'google') return 'the JSON key of a service account; tokens are minted from it and renewed'
  if (auth.type === 'aws')
    return 'an access key in the form of the shared credentials file, an API key of Bedrock, or the pod’s web identity; requests are signed'
  const [name, value] = auth.header('KEY')
  return `a key, sent as \`${name}: ${value}\``
}

/** The page of providers, in Markdown: what each needs, and which APIs of callers it answers. */
export function providersPage(notice: string): string {
  return `<!-- ${notice} -->

# Providers

\`spec.provider.type\` of a ModelEndpoint names who answers. Apps go on speaking the API that they know: where the provider speaks it too, bytes pass
untouched but for the model’s name and the endpoint’s parameters; elsewhere the request is said anew in the provider’s words, and its answer, its
stream and its errors come back in the app’s. What a provider has no word for is named in \`x-tradewind-dropped\`, or refused with 400 where the rule
has \`onUnsupported: Fail\`. [Who can call whom](compatibility.md) shows the official SDKs against each provider.

## What each needs

${table(
  ['Type', 'Base URL', 'Credential', 'Settings'],
  providers.map((provider) => [
    `\`${provider.type}\``,
    provider.url?.({ ...defaults(provider), ...placed[provider.type] }) ?? 'the address of the endpoint',
    credential(provider.auth),
    provider.settings
      ? `\`${provider.settings.name}\`: ${Object.keys(provider.settings.schema.properties ?? {}).join(', ')}`
      : '',
  ]),
)}
The settings are in the [reference](reference.md). The Secret of a credential carries the label \`tradewind.dev/use: credentials\`.

## Which APIs each answers

An API that a provider *speaks* passes to it; one that it *answers* is translated, in the caller’s form. For any other, the next target of the rule is
asked, and without one the answer is 400 \`operation_not_supported\`.

${table(
  ['Provider', 'Speaks', 'Answers'],
  rows.map((row) => [row.name, list(row, 'speaks'), list(row, 'answers')]),
)}
The APIs, by the names that logs and metrics give them:

${table(
  ['Name', 'Path'],
  asked.map((surface) => [
    surface.name,
    surface.paths.map((path) => `\`${path}\``).join(', ') || shown[surface.name] || '',
  ]),
)}
A leading \`/v1\` may be left out. \`GET /v1/models\` lists what the pod’s routes serve, in OpenAI’s form.
`
}

const list = (row: Row, what: 'speaks' | 'answers'): string =>
  asked
    .filter((surface) => ability(row, surface) === what)
    .map(({ name }) => name)
    .join(', ')

const defaults = ({ settings }: Provider): Json => (settings ? defaultsOf(settings.schema) : {})
