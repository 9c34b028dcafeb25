import type { TestContext } from 'node:test'
import { BedrockRuntimeClient } from '@aws-sdk/client-bedrock-runtime'
import type { ContentBlock, ConverseStreamCommandOutput, ToolUseBlock } from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import type { CompiledEndpoint } from '../../api/compiled.ts'
import { dataPath, endpoint, route, rule, target } from '../helpers/data-path.ts'
import { upstream } from '../helpers/upstream.ts'

export const CLAUDE = 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0'
export const NOVA = 'arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0'
export const GPT = 'gpt-4o'
const KEYS = { id: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }

/** Bedrock and OpenAI behind the request path; the sidecar has the keys of both. */
export async function lab(
  t: TestContext,
  rest: Partial<CompiledEndpoint> = {},
  environment: Record<string, string> = {},
) {
  const [bedrock, openai] = [
    await upstream(t, { name: 'mock', provider: 'bedrock', apiKey: `${KEYS.id}:${KEYS.secret}` }),
    await upstream(t, { name: 'mock', provider: 'openai', apiKey: 'sk-secret' }),
  ]
  const models = [{ name: '*', rank: 0, defaults: {}, force: {} }]
  const secret = (key: string) => ({ type: 'Secret' as const, secret: { secret: 'ai/keys', key } })
  const to = (name: string) => [rule([target(name, { model: '*' })])]
  const ids = [
    CLAUDE,
    NOVA,
    'amazon.titan-embed-text-v2:0',
    'cohere.embed-english-v3',
    'cohere.rerank-v3-5:0',
    'us.amazon.nova-2-lite-v1:0',
  ]
  const path = await dataPath(
    t,
    {
      routes: [
        route('bedrock', to('bedrock'), { models: ids }),
        route('openai', to('openai'), { models: [GPT, 'gpt-5'] }),
        route('strict', [rule([target('bedrock', { model: '*' })], { onUnsupported: 'Fail' })], { models: ['strict'] }),
        route('both', [rule([target('bedrock', { model: '*' }), target('openai', { model: '*', priority: 1 })])], {
          models: ['either'],
        }),
      ],
      endpoints: [
        endpoint('bedrock', bedrock.url, {
          provider: { type: 'Bedrock', settings: { region: 'eu-west-1' } },
          credentials: secret('aws'),
          models,
          ...rest,
        }),
        endpoint('openai', `${openai.url}/v1`, { provider: { type: 'OpenAI' }, credentials: secret('openai'), models }),
      ],
      secrets: {
        'ai/keys': {
          data: {
            aws: `[default]\naws_access_key_id = ${KEYS.id}\naws_secret_access_key = ${KEYS.secret}\n`,
            wrong: `aws_access_key_id=${KEYS.id}\naws_secret_access_key=not-the-secret`,
            openai: 'sk-secret',
          },
        },
      },
    },
    { environment: { AWS_ENDPOINT_URL_STS: bedrock.url, ...environment } },
  )
  return { bedrock, openai, ...path }
}

/** The SDK as apps make it, but for the address; its own handler speaks HTTP/2, which plain-text servers do not. */
export function bedrockSdk(url: string, key: Partial<typeof KEYS> = {}): BedrockRuntimeClient {
  return new BedrockRuntimeClient({
    region: 'us-east-1',
    endpoint: url,
    credentials: { accessKeyId: key.id ?? 'the-callers-own', secretAccessKey: key.secret ?? 'the-callers-own' },
    requestHandler: new NodeHttpHandler(),
    maxAttempts: 1,
  })
}
/** The SDK with the keys that the simulated Bedrock knows. */
export const directSdk = (url: string): BedrockRuntimeClient => bedrockSdk(url, KEYS)

/** A streamed answer put together as the SDK's documentation has it. */
export async function gather({ stream = [] as never }: Pick<ConverseStreamCommandOutput, 'stream'>) {
  const blocks: {
    text: string
    thought: string
    signature: string
    tool?: { id: string; name: string; json: string }
  }[] = []
  const at = (index = -1) => (blocks[index] ??= { text: '', thought: '', signature: '' })
  const kinds: string[] = []
  let stopReason: string | undefined
  let usage: { inputTokens?: number | undefined; outputTokens?: number | undefined } | undefined
  let latency: number | undefined
  for await (const event of stream) {
    const [kind = ''] = Object.keys(event)
    if (kinds.at(-1) !== kind) kinds.push(kind)
    const { start, contentBlockIndex } = event.contentBlockStart ?? {}
    if (start?.toolUse)
      at(contentBlockIndex).tool = { id: start.toolUse.toolUseId ?? '', name: start.toolUse.name ?? '', json: '' }
    const { delta, contentBlockIndex: index } = event.contentBlockDelta ?? {}
    if (delta) {
      const block = at(index)
      block.text += delta.text ?? ''
      block.thought += delta.reasoningContent?.text ?? ''
      block.signature += delta.reasoningContent?.signature ?? ''
      if (block.tool) block.tool.json += delta.toolUse?.input ?? ''
    }
    stopReason ??= event.messageStop?.stopReason
    usage ??= event.metadata?.usage
    latency ??= event.metadata?.metrics?.latencyMs
  }
  return {
    kinds,
    stopReason,
    usage,
    latency,
    text: blocks.map((block) => block.text).join(''),
    thought: blocks.map((block) => block.thought).join(''),
    signature: blocks.map((block) => block.signature).join(''),
    // A call without arguments has no text of them.
    calls: blocks.flatMap(({ tool }) =>
      tool ? [{ toolUseId: tool.id, name: tool.name, input: JSON.parse(tool.json || '{}') as unknown }] : [],
    ),
  }
}

export const textOf = (content: readonly ContentBlock[] | undefined): string =>
  (content ?? []).map((block) => block.text ?? '').join('')
export const callsOf = (content: readonly ContentBlock[] | undefined): readonly ToolUseBlock[] =>
  (content ?? []).flatMap((block) => block.toolUse ?? [])
