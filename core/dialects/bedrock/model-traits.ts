import type { ArtefactFormat, ChatRequest } from '../../chat.ts'
import { traitsOf as claudeTraitsOf } from '../anthropic/model-traits.ts'
import type { Traits } from '../anthropic/model-traits.ts'
import type { Json } from '../dialect.ts'

/** What Converse takes of a model beyond what all have in common: it passes on what it cannot check, and the model then refuses. */
export interface BedrockTraits {
  /** Anthropic's own, where they hold: how it thinks, what it samples by, what schemas it keeps to. */
  readonly model: Traits
  readonly claude: boolean
  /** Whose signatures it makes and takes: Claude's hold wherever Claude runs. */
  readonly artefacts: ArtefactFormat
  /** What `toolChoice` may be besides `auto`. */
  readonly choices: 'all' | 'any' | 'none'
  /** Where `cachePoint` may stand: nowhere, not among the tools, anywhere. */
  readonly caching: 'none' | 'prompt' | 'all'
  /** `toolResult.status` */
  readonly status: boolean
  /** Results of tools are JSON objects, never text. */
  readonly jsonResults: boolean
  /** Audio in messages. */
  readonly audio: boolean
  /** Members of `additionalModelRequestFields` for what `inferenceConfig` has no place for, by canonical name. */
  readonly fields: Readonly<Partial<Record<Extra, (value: unknown) => Json>>>
  /** The same for the effort of thought; Claude's is told by `anthropic/write-thinking.ts`. */
  readonly effort: ((effort: Effort) => Json) | undefined
  /** It thinks whatever it is told. */
  readonly always: boolean
}

export type Extra = keyof Pick<ChatRequest, 'topK' | 'seed' | 'frequencyPenalty' | 'presencePenalty'>
type Effort = 'low' | 'medium' | 'high'

interface Family {
  /** Found in the model's id, or in the ARN of a model or of an inference profile that is named after it. */
  readonly name: RegExp
  readonly traits: Partial<Omit<BedrockTraits, 'model'>> & Partial<Pick<Traits, 'schemas' | 'sampling' | 'prefill'>>
}

const nova: Family['traits'] = {
  choices: 'all',
  caching: 'prompt',
  status: true,
  prefill: true,
  fields: { topK: (value) => ({ inferenceConfig: { topK: value } }) },
}

/**
 * https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html,
 * https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html,
 * https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html,
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolChoice.html, and the recorded answers of pydantic-ai.
 */
const families: readonly Family[] = [
  {
    name: /claude/,
    traits: {
      claude: true,
      artefacts: 'anthropic',
      choices: 'all',
      caching: 'all',
      status: true,
      fields: { topK: (value) => ({ top_k: value }) },
    },
  },
  {
    name: /amazon\.nova-2/,
    traits: {
      ...nova,
      effort: (effort) => ({ reasoningConfig: { type: 'enabled', maxReasoningEffort: effort } }),
    },
  },
  {
    name: /amazon\.nova/,
    traits: nova,
  },
  {
    name: /cohere\.command/,
    traits: {
      choices: 'none',
      fields: {
        topK: (value) => ({ k: value }),
        seed: (value) => ({ seed: value }),
        frequencyPenalty: (value) => ({ frequency_penalty: value }),
        presencePenalty: (value) => ({ presence_penalty: value }),
      },
    },
  },
  {
    name: /openai\.gpt-oss/,
    traits: { choices: 'none', schemas: true, effort: (effort) => ({ reasoning_effort: effort }), always: true },
  },
  { name: /qwen\./, traits: { choices: 'none', schemas: true, effort: (effort) => ({ reasoning_config: effort }) } },
  { name: /mistral\.voxtral/, traits: { choices: 'any', audio: true, schemas: true } },
  { name: /mistral\.(mistral-large-3|ministral|magistral)/, traits: { choices: 'any', schemas: true } },
  { name: /mistral\./, traits: { choices: 'any', jsonResults: true } },
  { name: /(minimax|moonshot(ai)?|nvidia|google|zai)\./, traits: { choices: 'none', schemas: true } },
  {
    name: /openai\./,
    traits: { choices: 'none', sampling: 'none', effort: (effort) => ({ reasoning_effort: effort }) },
  },
  { name: /deepseek\.r1/, traits: { choices: 'none', always: true } },
  { name: /(meta\.llama|deepseek|ai21|writer|amazon\.titan)/, traits: { choices: 'none' } },
]

/** What is known of a model by its id. Of ids that say nothing (application inference profiles, custom models) the common part is. */
export function traitsOf(model: string): BedrockTraits {
  const id = model.toLowerCase()
  const {
    schemas = false,
    sampling = 'all',
    prefill = false,
    ...traits
  } = families.find(({ name }) => name.test(id))?.traits ?? {}
  const base = claudeTraitsOf(model)
  const claude = traits.claude === true
  const choices = traits.choices ?? 'all'
  return {
    model: claude ? base : { ...base, schemas, forced: choices === 'all', prefill, sampling },
    claude,
    artefacts: 'bedrock',
    choices,
    caching: 'none',
    status: false,
    jsonResults: false,
    audio: false,
    fields: {},
    effort: undefined,
    always: false,
    ...traits,
  }
}
