import { bedrockEmbedTarget } from '../dialects/bedrock/embed.ts'
import { foreignArtefacts } from '../dialects/bedrock/foreign-artefacts.ts'
import { traitsOf } from '../dialects/bedrock/model-traits.ts'
import { bedrockRerankTarget } from '../dialects/bedrock/rerank.ts'
import { bedrockTarget, modelPath } from '../dialects/bedrock/target.ts'
import { headerOf } from '../headers.ts'
import { classify } from '../openai-errors.ts'
import { object, string } from '../schema.ts'
import type { Provider } from './provider.ts'

const schema = object(
  {
    region: string({
      maxLength: 32,
      pattern: '^[a-z]{2}(-[a-z]+)+-[0-9]+$',
      description: 'The AWS region, such as eu-central-1: of the address where none is given, and of every signature.',
    }),
  },
  { description: 'Settings of Amazon Bedrock.' },
)

/** China has a domain of its own: https://docs.aws.amazon.com/general/latest/gr/bedrock.html */
const domainOf = (region: string): string => (region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com')

/** https://docs.aws.amazon.com/bedrock/latest/userguide/what-is-bedrock.html */
export const bedrock = {
  type: 'Bedrock',
  genAi: 'aws.bedrock',
  settings: { name: 'bedrock', schema, required: true },
  url: ({ region }) => `https://bedrock-runtime.${String(region)}.${domainOf(String(region))}`,
  auth: { type: 'aws', service: 'bedrock' },
  native: (surface, model, stream) =>
    surface === 'converse' ? { path: modelPath(model, stream ? 'converse-stream' : 'converse') } : undefined,
  edits: (surface, body, fields, _, model) => (surface === 'converse' ? foreignArtefacts(body, fields, model) : []),
  chat: (model) => bedrockTarget(model),
  embeddings: (model) => bedrockEmbedTarget(model),
  rerank: (model) => bedrockRerankTarget(model),
  prefill: (model, _, declared) => ((declared ?? traitsOf(model).model.prefill) ? { trims: true } : undefined),
  /** https://docs.aws.amazon.com/bedrock/latest/userguide/troubleshooting-api-error-codes.html; the name may go on with a colon and an address. */
  classify(status, headers, body, wall) {
    const verdict = classify(status, headers, body, wall)
    const name = headerOf(headers, 'x-amzn-errortype').split(':')[0] ?? ''
    if (name === 'ServiceQuotaExceededException' || (status === 429 && /per day/i.test(body)))
      return { code: 'quota_exhausted', retryAfter: undefined, shouldRetry: false }
    // Temporary keys end; by the next call there may be new ones.
    return name === 'ExpiredTokenException' ? { ...verdict, code: 'credentials_unavailable' } : verdict
  },
} as const satisfies Provider
