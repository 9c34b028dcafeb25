import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import type { ErrorCode } from './errors.ts'
import { classify, classifyError } from './openai-errors.ts'

const wall = Date.UTC(2026, 5, 1)
const verdict = (status: number, body: unknown, headers: string[] = []) =>
  classify(status, headers, typeof body === 'string' ? body : JSON.stringify(body), wall)
const openai = (message: string, code: string | null = null, type = 'invalid_request_error') => ({
  error: { message, type, param: null, code },
})

test('errors: by status alone', () => {
  const cases: readonly (readonly [number, ErrorCode])[] = [
    [301, 'upstream_malformed'],
    [400, 'upstream_refused'],
    [401, 'upstream_refused'],
    [402, 'quota_exhausted'],
    [403, 'upstream_refused'],
    [404, 'upstream_refused'],
    [408, 'upstream_error'],
    [409, 'upstream_error'],
    [424, 'upstream_error'],
    [413, 'upstream_refused'],
    [422, 'upstream_refused'],
    [429, 'upstream_busy'],
    [500, 'upstream_error'],
    [501, 'upstream_error'],
    [502, 'upstream_error'],
    [503, 'upstream_error'],
    [504, 'upstream_error'],
    [520, 'upstream_error'],
    [529, 'upstream_error'],
  ]
  for (const [status, code] of cases)
    for (const body of ['', '<html>Bad Gateway</html>', '{"error":null}', '[]', 'null', openai('No.')])
      assert.equal(verdict(status, body).code, code, `${status} ${JSON.stringify(body)}`)
})

/** Recorded wordings: who says it, status, body. */
const contextLength: readonly (readonly [string, number, unknown])[] = [
  [
    'OpenAI',
    400,
    openai(
      "This model's maximum context length is 8192 tokens. However, your messages resulted in 8545 tokens. Please reduce the length of the messages.",
      'context_length_exceeded',
    ),
  ],
  [
    'OpenAI Responses',
    400,
    openai(
      'Your input exceeds the context window of this model. Please adjust your input and try again.',
      'context_length_exceeded',
    ),
  ],
  ['OpenAI, by code alone', 400, openai('Too much.', 'context_length_exceeded')],
  [
    'OpenAI, one message',
    400,
    openai(
      "Invalid 'messages[0].content': string too long. Expected a string with maximum length 10485760.",
      'string_above_max_length',
    ),
  ],
  [
    'Anthropic',
    400,
    {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'prompt is too long: 201234 tokens > 200000 maximum' },
    },
  ],
  [
    'Anthropic, with the output',
    400,
    {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message:
          'input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again',
      },
    },
  ],
  [
    'Gemini',
    400,
    {
      error: {
        code: 400,
        status: 'INVALID_ARGUMENT',
        message: 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048575).',
      },
    },
  ],
  [
    'Gemini, in a list',
    400,
    [
      {
        error: {
          code: 400,
          status: 'INVALID_ARGUMENT',
          message: 'The input token count (1200000) exceeds the maximum number of tokens allowed (1048575).',
        },
      },
    ],
  ],
  ['Bedrock', 400, { message: 'Input is too long for requested model.' }],
  [
    'Cohere',
    400,
    { message: 'too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000.' },
  ],
  [
    'Mistral',
    400,
    {
      object: 'error',
      message: 'Prompt contains 40001 tokens and 0 draft tokens, too large for model with 32768 maximum context length',
      type: 'invalid_request_error',
    },
  ],
  [
    'vLLM',
    400,
    {
      object: 'error',
      message:
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the messages, 1000 in the completion). Please reduce the length of the messages or completion.",
      type: 'BadRequestError',
      code: 400,
    },
  ],
  [
    'vLLM, the decoder',
    400,
    {
      error: {
        message: 'The decoder prompt (length 5000) is longer than the maximum model length of 4096.',
        type: 'BadRequestError',
        code: 400,
      },
    },
  ],
  [
    'SGLang',
    400,
    {
      object: 'error',
      message: "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
      type: 'BadRequestError',
      code: 400,
    },
  ],
  [
    'SGLang, with the output',
    400,
    { error: { message: "Requested token count exceeds the model's maximum context length of 4096 tokens." } },
  ],
  [
    'TGI',
    422,
    {
      error:
        'Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 4000 `inputs` tokens and 200 `max_new_tokens`',
      error_type: 'validation',
    },
  ],
  [
    'TGI, the input',
    422,
    {
      error: 'Input validation error: `inputs` must have less than 1024 tokens. Given: 2000',
      error_type: 'validation',
    },
  ],
  [
    'llama.cpp',
    400,
    {
      error: {
        code: 400,
        message: 'the request exceeds the available context size, try increasing it',
        type: 'exceed_context_size_error',
        n_prompt_tokens: 9000,
        n_ctx: 8192,
      },
    },
  ],
  ['llama.cpp, older', 500, { error: { code: 500, message: 'Context size has been exceeded.', type: 'server_error' } }],
  ['Ollama', 400, { error: 'input length exceeds the context length' }],
  [
    'LM Studio',
    400,
    {
      error:
        'Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens',
    },
  ],
  [
    'LM Studio, later',
    400,
    { error: 'The number of tokens to keep from the initial prompt is greater than the context length.' },
  ],
  ['Groq', 400, openai('Please reduce the length of the messages or completion.', 'context_length_exceeded')],
  [
    'xAI',
    400,
    {
      code: 'Client specified an invalid argument',
      error: "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    },
  ],
  [
    'OpenRouter',
    400,
    {
      error: {
        code: 400,
        message: 'This endpoint’s maximum context length is 8192 tokens. However, you requested about 9000 tokens',
      },
    },
  ],
  [
    'Together',
    422,
    openai('`inputs` tokens + `max_new_tokens` must be <= 8193. Given: 8000 `inputs` tokens and 500 `max_new_tokens`'),
  ],
  [
    'Fireworks',
    400,
    {
      error: {
        object: 'error',
        type: 'invalid_request_error',
        message: 'The prompt is too long: 140000, model maximum context length: 131071',
      },
    },
  ],
  [
    'Moonshot',
    400,
    {
      error: {
        type: 'invalid_request_error',
        message: 'Invalid request: Your request exceeded model token limit: 8192',
      },
    },
  ],
  ['Qwen', 400, { error: { code: 'invalid_parameter_error', message: 'Range of input length should be [1, 30720]' } }],
  ['Zhipu', 400, { error: { code: '1261', message: 'Prompt exceeds max length' } }],
  [
    'MiniMax',
    400,
    {
      type: 'error',
      error: { type: 'invalid_request_error', message: 'invalid params, context window exceeds limit (2013)' },
    },
  ],
  [
    'GitHub Models',
    413,
    openai('Request body too large for gpt-4o model. Max size: 8000 tokens.', 'tokens_limit_reached'),
  ],
  [
    'Copilot',
    400,
    openai('prompt token count of 130000 exceeds the limit of 128000', 'model_max_prompt_tokens_exceeded'),
  ],
  ['TensorRT-LLM', 400, { error: 'Prompt length (5000) exceeds maximum input length (4096).' }],
]

test('errors: a request that is too long for the context, in every wording', () => {
  for (const [who, status, body] of contextLength) assert.equal(verdict(status, body).code, 'context_length', who)
})

const contentRefused: readonly (readonly [string, number, unknown])[] = [
  [
    'Azure',
    400,
    {
      error: {
        message:
          "The response was filtered due to the prompt triggering Azure OpenAI's content management policy. Please modify your prompt and retry.",
        type: null,
        code: 'content_filter',
        status: 400,
        innererror: { code: 'ResponsibleAIPolicyViolation' },
      },
    },
  ],
  [
    'Azure, the inner code alone',
    400,
    { error: { message: 'Filtered.', code: '400', innererror: { code: 'ResponsibleAIPolicyViolation' } } },
  ],
  [
    'OpenAI images',
    400,
    openai(
      'Your request was rejected as a result of our safety system.',
      'content_policy_violation',
      'image_generation_user_error',
    ),
  ],
  ['OpenAI images, later', 400, openai('Your request was rejected by the safety system.', 'moderation_blocked')],
  [
    'OpenAI reasoning',
    400,
    openai(
      'Invalid prompt: your prompt was flagged as potentially violating our usage policy. Please try again with a different prompt.',
      'invalid_prompt',
    ),
  ],
  [
    'Anthropic',
    400,
    { type: 'error', error: { type: 'invalid_request_error', message: 'Output blocked by content filtering policy' } },
  ],
  [
    'OpenRouter',
    403,
    {
      error: { code: 403, message: 'Your chosen model requires moderation and your input was flagged for "violence"' },
    },
  ],
  [
    'xAI',
    403,
    {
      code: 'The caller does not have permission',
      error: 'Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO',
    },
  ],
  [
    'Qwen',
    400,
    { error: { code: 'data_inspection_failed', message: 'Input data may contain inappropriate content.' } },
  ],
]

test('errors: refused content, in every wording', () => {
  for (const [who, status, body] of contentRefused) assert.equal(verdict(status, body).code, 'content_refused', who)
})

const quota: readonly (readonly [string, number, unknown])[] = [
  [
    'OpenAI',
    429,
    openai(
      'You exceeded your current quota, please check your plan and billing details.',
      'insufficient_quota',
      'insufficient_quota',
    ),
  ],
  ['OpenAI, billing', 400, openai('Billing hard limit has been reached', 'billing_hard_limit_reached')],
  [
    'Anthropic',
    400,
    {
      type: 'error',
      error: {
        type: 'invalid_request_error',
        message:
          'Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.',
      },
    },
  ],
  ['DeepSeek', 402, openai('Insufficient Balance', 'invalid_request_error', 'unknown_error')],
  ['OpenRouter', 402, { error: { code: 402, message: 'This request requires more credits, or fewer max_tokens.' } }],
  [
    'Moonshot',
    429,
    { error: { type: 'exceeded_current_quota_error', message: 'You exceeded your current token quota' } },
  ],
  ['Bedrock, the day', 429, { message: 'Too many tokens per day, please wait before trying again.' }],
  [
    'Cohere, the month',
    429,
    {
      message:
        'You are using a Trial key, which is limited to 1000 API calls / month. You can upgrade to a Production key.',
    },
  ],
  [
    'Gemini, the day',
    429,
    {
      error: {
        code: 429,
        status: 'RESOURCE_EXHAUSTED',
        message: 'You exceeded your current quota, please check your plan and billing details.',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
            violations: [{ quotaId: 'GenerateRequestsPerDayPerProjectPerModel-FreeTier' }],
          },
          { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '38s' },
        ],
      },
    },
  ],
]

test('errors: a quota that is used up is not asked again', () => {
  for (const [who, status, body] of quota) {
    const { code, shouldRetry } = verdict(status, body)
    assert.deepEqual([code, shouldRetry], ['quota_exhausted', false], who)
  }
})

test('errors: a limit of the minute is busy, with its time', () => {
  const gemini = {
    error: {
      code: 429,
      status: 'RESOURCE_EXHAUSTED',
      message: 'You exceeded your current quota, please check your plan and billing details.',
      details: [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '38s' }],
    },
  }
  assert.deepEqual(verdict(429, gemini), { code: 'upstream_busy', retryAfter: 38_000, shouldRetry: undefined })
  assert.deepEqual(
    verdict(
      429,
      openai(
        'Rate limit reached for gpt-4o on tokens per min (TPM). Please try again in 41.724s.',
        'rate_limit_exceeded',
        'tokens',
      ),
    ),
    {
      code: 'upstream_busy',
      retryAfter: 41_724,
      shouldRetry: undefined,
    },
  )
  const bedrock = { message: 'Too many tokens, please wait before trying again.' }
  assert.equal(verdict(429, bedrock).code, 'upstream_busy')
  const large = openai(
    'Request too large for gpt-4o in organization org on tokens per min (TPM): Limit 30000, Requested 50000. The input or output tokens must be reduced in order to run successfully.',
    'rate_limit_exceeded',
    'tokens',
  )
  assert.deepEqual(verdict(429, large), { code: 'upstream_busy', retryAfter: undefined, shouldRetry: false })
  assert.equal(verdict(413, large).code, 'upstream_busy', 'Groq’s status for it')
})

test('errors: faults of the caller stay its own, whatever words they hold', () => {
  for (const [status, body] of [
    [400, openai('Unrecognized request argument supplied: content_filter_level')],
    [
      400,
      openai('max_tokens is too large: 20000. This model supports at most 16384 completion tokens.', 'invalid_value'),
    ],
    [404, openai('The model `gpt-9` does not exist or you do not have access to it.', 'model_not_found')],
    [401, openai('Incorrect API key provided: sk-***. ', 'invalid_api_key')],
    [
      422,
      {
        detail: [
          {
            loc: ['body', 'messages'],
            msg: 'field required',
            input: 'prompt is too long, said the model, maximum context length',
          },
        ],
      },
    ],
    [403, openai('Country, region, or territory not supported', 'unsupported_country_region_territory')],
  ] as const)
    assert.equal(verdict(status, body).code, 'upstream_refused', JSON.stringify(body))
})

test('errors: x-should-retry is obeyed', () => {
  assert.equal(verdict(500, '', ['X-Should-Retry', 'false']).shouldRetry, false)
  assert.equal(verdict(500, '').shouldRetry, undefined)
  assert.deepEqual(verdict(400, '', ['x-should-retry', 'true', 'retry-after', '3']), {
    code: 'upstream_error',
    retryAfter: 3000,
    shouldRetry: true,
  })
  assert.equal(verdict(500, '', ['x-should-retry', 'maybe']).shouldRetry, undefined)
  assert.equal(verdict(501, '').shouldRetry, false)
})

test('errors: Retry-After counts where it means something', () => {
  const after = (status: number, ...more: string[]) => verdict(status, '', ['retry-after', '2', ...more]).retryAfter
  for (const status of [429, 503, 529]) assert.equal(after(status), 2000)
  for (const status of [400, 404, 500, 502, 504, 408, 409]) assert.equal(after(status), undefined)
  for (const status of [500, 502, 504, 408, 409]) assert.equal(after(status, 'x-should-retry', 'true'), 2000)
})

test('errors: an error inside an answer of status 200', () => {
  const inside = (body: unknown) => classifyError(JSON.stringify(body), wall).code
  assert.equal(inside({ error: { message: 'overloaded', type: 'overloaded_error' } }), 'upstream_error')
  assert.equal(inside({ error: { code: 502, message: 'Provider returned error' } }), 'upstream_error')
  assert.equal(inside({ error: { code: '429', message: 'slow down' } }), 'upstream_busy')
  assert.equal(inside(openai('Slow down', null, 'rate_limit_error')), 'upstream_busy')
  assert.equal(inside(openai('Bad tool')), 'upstream_refused')
  assert.equal(inside({ error: 'boom' }), 'upstream_error')
  assert.equal(inside({ message: 'overloaded' }), 'upstream_error')
  for (const [who, , body] of contextLength) assert.equal(inside(body), 'context_length', who)
  for (const [who, , body] of contentRefused) assert.equal(inside(body), 'content_refused', who)
  assert.equal(classifyError('not json', wall).code, 'upstream_error')
})

test('errors: no body is a fault of ours', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 599 }), fc.oneof(fc.string(), fc.json()), (status, body) => {
      assert.ok(classify(status, [], body, wall).code)
      assert.ok(classifyError(body, wall).code)
    }),
  )
})
