import assert from 'node:assert/strict'
import test from 'node:test'
import { Bytes } from '../../core/bytes.ts'
import type { Json } from '../../core/dialects/dialect.ts'
import { Failure } from '../../core/errors.ts'
import { Exchange } from '../../core/exchange.ts'
import { requestFields } from '../../core/json-fields.ts'
import type { ProviderType } from '../../core/providers/index.ts'
import { surfaceOf } from '../../core/surfaces/index.ts'
import type { Rule, Target } from '../../core/target.ts'
import { translate } from '../../core/translate.ts'
import { newFacts, readDoor } from '../../sidecar/door.ts'
import { Endpoints } from '../../sidecar/endpoints.ts'
import { compiled, endpoint } from '../helpers/data-path.ts'

/**
 * No field of a request is lost in silence: each that the caller's API documents is in what goes to the target (which differs from what goes
 * without it), or is named as dropped, or refused with 400. The lists are of the official SDKs' own types, as installed here.
 */

/** Where a field stands, and a value that is not its default. */
type Row = readonly [
  path: string,
  value: unknown,
  more?: {
    /** What has to be in the request besides, for the field to mean anything. */
    readonly given?: Readonly<Record<string, unknown>>
    /** The name under which it is reported, where neither path contains the other. */
    readonly as?: string
    /** It asks for nothing of the target: what it changes is what we make of the answer, or nothing at all. */
    readonly ours?: true
    /** The targets that do so by themselves, and need not be told. */
    readonly usual?: RegExp
  },
]

interface Caller {
  readonly path: (model: string) => string
  readonly base: Json
  readonly rows: readonly Row[]
}

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const schema = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}

/** Targets that show what they think wherever they think. */
const shows = /Anthropic|claude|nova-2|gpt-oss|Mistral|WorkersAI|OpenAICompatible|Cohere/
/** Those that do not think, or not unless they are told to. */
const quiet = /gpt-4|Anthropic|claude|gemini-2\.0|nova|llama3|command-r|mistral-large/
/** It always thinks, as hard as it can. */
const always = /magistral/

const weather = { type: 'function', function: { name: 'weather', parameters: schema } }
const called = {
  role: 'assistant',
  content: null,
  tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }],
}
const ask = { role: 'user', content: 'Weather?' }
const loop = { messages: [ask, called, { role: 'tool', tool_call_id: 'call_1', content: 'fine' }], tools: [weather] }
const second = { 'tools.1': { type: 'function', function: { name: 'time', parameters: schema } } }

const chat: Caller = {
  path: () => '/v1/chat/completions',
  base: { messages: [ask], model: 'm' },
  rows: [
    ['audio', { voice: 'alloy', format: 'wav' }, { given: { modalities: ['text', 'audio'] } }],
    ['frequency_penalty', 0.5],
    ['function_call', 'auto'],
    ['functions', [{ name: 'f', parameters: schema }]],
    ['logit_bias', { '50256': -100 }],
    ['logprobs', true],
    ['max_completion_tokens', 77],
    ['max_tokens', 77],
    ['metadata', { a: 'b' }],
    ['modalities', ['text', 'audio'], { given: { audio: { voice: 'alloy', format: 'wav' } } }],
    ['moderation', { model: 'omni-moderation-latest' }],
    ['n', 2],
    ['parallel_tool_calls', false, { given: { tools: [weather] } }],
    ['prediction', { type: 'content', content: 'x' }],
    ['presence_penalty', 0.5],
    ['prompt_cache_key', 'k'],
    ['prompt_cache_options', { mode: 'explicit' }],
    ['prompt_cache_retention', '24h'],
    ['reasoning_effort', 'high', { usual: always }],
    ['reasoning_effort', 'low'],
    ['response_format', { type: 'json_object' }],
    ['response_format', { type: 'json_schema', json_schema: { name: 'place', schema, strict: true } }],
    [
      'response_format.json_schema.description',
      'A place.',
      { given: { response_format: { type: 'json_schema', json_schema: { name: 'place', schema } } } },
    ],
    ['response_format.odd', 1, { given: { response_format: { type: 'json_object' } } }],
    [
      'response_format.json_schema.odd',
      1,
      { given: { response_format: { type: 'json_schema', json_schema: { name: 'place', schema } } } },
    ],
    ['safety_identifier', 'who', { as: 'user' }],
    ['safety_identifier', 'who', { given: { user: 'other' } }],
    ['seed', 7],
    ['service_tier', 'flex'],
    ['service_tier', 'fast'],
    ['stop', 'END'],
    ['stop', ['a', 'b', 'c', 'd', 'e', 'f']],
    ['store', true],
    ['stream', true],
    ['stream_options.include_usage', true, { given: { stream: true }, ours: true }],
    ['stream_options.include_obfuscation', true, { given: { stream: true, 'stream_options.include_usage': true } }],
    ['temperature', 0.3],
    ['temperature', 1.7],
    ['tool_choice', 'required', { given: { tools: [weather] } }],
    ['tool_choice', 'none', { given: { tools: [weather] } }],
    ['tool_choice', { type: 'function', function: { name: 'weather' } }, { given: { tools: [weather], ...second } }],
    [
      'tool_choice',
      {
        type: 'allowed_tools',
        allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'weather' } }] },
      },
      { given: { tools: [weather], ...second } },
    ],
    [
      'tool_choice',
      { type: 'custom', custom: { name: 'free' } },
      { given: { tools: [weather, { type: 'custom', custom: { name: 'free' } }] } },
    ],
    ['tools', [weather]],
    ['tools.0', { type: 'custom', custom: { name: 'free', description: 'any' } }],
    ['tools.0.function.strict', true, { given: { tools: [weather] } }],
    ['tools.0.function.description', 'Tells.', { given: { tools: [weather] } }],
    ['tools.0.function.odd', 1, { given: { tools: [weather] } }],
    ['top_logprobs', 3, { given: { logprobs: true } }],
    ['top_p', 0.4],
    ['user', 'who'],
    ['verbosity', 'low'],
    ['web_search_options', { search_context_size: 'low' }],
    ['messages.0', { role: 'system', content: 'Be brief.' }, { given: { 'messages.1': ask } }],
    [
      'messages.0.name',
      'sys',
      { given: { 'messages.0': { role: 'system', content: 'Be brief.' }, 'messages.1': ask } },
    ],
    ['messages.0.name', 'ann'],
    ['messages.0.content', [{ type: 'text', text: 'other' }]],
    [
      'messages.0.content',
      [
        { type: 'text', text: 'see' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
      ],
    ],
    [
      'messages.0.content.0.image_url.detail',
      'low',
      { given: { 'messages.0.content': [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }] } },
    ],
    ['messages.0.content', [{ type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }]],
    [
      'messages.0.content',
      [{ type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } }],
    ],
    ['messages.0.content', [{ type: 'file', file: { file_id: 'file-1' } }]],
    [
      'messages.0.content.0.file.filename',
      'b.pdf',
      {
        given: {
          'messages.0.content': [{ type: 'file', file: { file_data: 'data:application/pdf;base64,JVBERi0=' } }],
        },
      },
    ],
    [
      'messages.0.content.0.prompt_cache_breakpoint',
      { mode: 'explicit' },
      { given: { 'messages.0.content': [{ type: 'text', text: 'a' }] } },
    ],
    [
      'messages.0.content.0.cache_control',
      { type: 'ephemeral' },
      { given: { 'messages.0.content': [{ type: 'text', text: 'a' }] } },
    ],
    ['messages.1', { role: 'assistant', content: 'So' }],
    ['messages.1.name', 'bot', { given: { messages: [ask, { role: 'assistant', content: 'So' }, ask] } }],
    ['messages.1.refusal', 'No.', { given: { messages: [ask, { role: 'assistant', content: '' }, ask] } }],
    ['messages.1.audio', { id: 'audio_1' }, { given: { messages: [ask, { role: 'assistant', content: 'Hm' }, ask] } }],
    ['messages.1.tool_calls.0.function.odd', 1, { given: loop }],
    ['messages.1.tool_calls.0.odd', 1, { given: loop }],
    ['messages.1.content', 'First', { given: loop }],
    ['messages.1.reasoning_content', 'Thought', { given: loop }],
    ['messages.2.content', [{ type: 'text', text: 'other' }], { given: loop }],
    ['reasoning', { max_tokens: 3000 }],
    ['reasoning.exclude', true, { given: { 'reasoning.effort': 'high' } }],
    ['reasoning.odd', true, { given: { 'reasoning.effort': 'high' } }],
    ['top_k', 5],
    ['odd', 1],
  ],
}

const completions: Caller = {
  path: () => '/v1/completions',
  base: { prompt: 'Say', model: 'm' },
  rows: [
    ['best_of', 3],
    ['echo', true],
    ['frequency_penalty', 0.5],
    ['logit_bias', { '50256': -100 }],
    ['logprobs', 2],
    ['max_tokens', 77],
    ['n', 2],
    ['presence_penalty', 0.5],
    ['prompt', ['a', 'b']],
    ['prompt', [1, 2]],
    ['seed', 7],
    ['stop', 'END'],
    ['stream', true],
    ['stream_options.include_usage', true, { given: { stream: true }, ours: true }],
    ['stream_options.include_obfuscation', true, { given: { stream: true, 'stream_options.include_usage': true } }],
    ['suffix', 'end'],
    ['temperature', 0.3],
    ['top_p', 0.4],
    ['user', 'who'],
    ['odd', 1],
  ],
}

const fn = { type: 'function', name: 'weather', parameters: schema, strict: false }
const said = { role: 'user', content: 'Weather?' }
const turn = [
  said,
  { type: 'function_call', call_id: 'c1', name: 'weather', arguments: '{"city":"Rome"}' },
  { type: 'function_call_output', call_id: 'c1', output: 'fine' },
]

const responses: Caller = {
  path: () => '/v1/responses',
  base: { input: [said], model: 'm' },
  rows: [
    ['access_programs', { a: 1 }],
    ['background', true],
    ['context_management', [{ type: 'compaction' }]],
    ['conversation', 'conv_1'],
    ['image', { a: 1 }],
    ['include', ['message.output_text.logprobs'], { as: 'logprobs' }],
    ['include', ['file_search_call.results']],
    ['include', ['reasoning.encrypted_content'], { ours: true }],
    ['input', 'Other'],
    ['instructions', 'Be brief.'],
    ['max_output_tokens', 77],
    ['max_tool_calls', 2],
    ['metadata', { a: 'b' }],
    ['moderation', { model: 'omni-moderation-latest' }],
    ['parallel_tool_calls', false, { given: { tools: [fn] } }],
    ['previous_response_id', 'resp_1'],
    ['prompt', { id: 'pmpt_1' }],
    ['prompt_cache_key', 'k'],
    ['prompt_cache_options', { mode: 'explicit' }],
    ['prompt_cache_retention', '24h'],
    ['reasoning.effort', 'high', { usual: always }],
    ['reasoning.summary', 'detailed', { given: { 'reasoning.effort': 'high' }, usual: shows }],
    ['reasoning.odd', 1, { given: { 'reasoning.effort': 'high' } }],
    ['safety_identifier', 'who', { as: 'user' }],
    ['safety_identifier', 'who', { given: { user: 'other' } }],
    ['service_tier', 'flex'],
    ['store', true],
    ['stream', true],
    ['stream_options.include_obfuscation', true, { given: { stream: true } }],
    ['stream_options.odd', true, { given: { stream: true } }],
    ['temperature', 0.3],
    ['text.format', { type: 'json_object' }],
    ['text.format', { type: 'json_schema', name: 'place', schema, strict: true }],
    ['text.format.odd', 1, { given: { 'text.format': { type: 'json_schema', name: 'place', schema } } }],
    ['text.verbosity', 'low'],
    ['text.odd', 'low'],
    ['tool_choice', 'required', { given: { tools: [fn] } }],
    ['tool_choice', { type: 'function', name: 'weather' }, { given: { tools: [fn] } }],
    ['tool_choice', { type: 'web_search_preview' }, { given: { tools: [fn] } }],
    ['tools', [fn]],
    ['tools', [{ type: 'web_search' }]],
    ['tools', [{ type: 'custom', name: 'free' }]],
    ['tools.0.strict', true, { given: { tools: [fn] } }],
    ['tools.0.defer_loading', true, { given: { tools: [fn] } }],
    ['tools.0.odd', true, { given: { tools: [{ type: 'custom', name: 'free' }] } }],
    ['top_logprobs', 3, { given: { include: ['message.output_text.logprobs'] } }],
    ['top_logprobs', 3],
    ['top_p', 0.4],
    ['truncation', 'auto'],
    ['user', 'who'],
    ['odd', 1],
    ['input.0.odd', 1],
    ['input.0.content', [{ type: 'input_image', image_url: `data:image/png;base64,${PNG}` }]],
    ['input.0.content', [{ type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' }]],
    ['input.0.content.0.odd', 1, { given: { 'input.0.content': [{ type: 'input_text', text: 'a' }] } }],
    ['input.1', { type: 'web_search_call', id: 'ws', status: 'completed' }],
    ['input.1', { type: 'item_reference', id: 'x' }],
    ['input.1.odd', 1, { given: { input: turn } }],
    ['input.2.odd', 1, { given: { input: turn } }],
    [
      'input.1',
      { type: 'reasoning', id: 'rs', summary: [{ type: 'summary_text', text: 'Thought' }] },
      { given: { input: [said, said, said] } },
    ],
    [
      'input.1.content.0.odd',
      1,
      { given: { 'input.1': { role: 'assistant', content: [{ type: 'output_text', text: 'a' }] } } },
    ],
  ],
}

const tool = { name: 'weather', input_schema: schema }
const claudeLoop = {
  tools: [tool],
  messages: [
    ask,
    { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Rome' } }] },
    { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'fine' }] },
  ],
}
const pdf = { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0=' }

const messages: Caller = {
  path: () => '/v1/messages',
  base: { max_tokens: 4000, messages: [ask], model: 'm' },
  rows: [
    ['billing_policy', { type: 'x' }],
    ['cache_control', { type: 'ephemeral' }],
    ['compaction', { type: 'x' }],
    ['container', 'container_1'],
    ['context_management', { edits: [{ type: 'clear_tool_uses_20250919' }] }],
    ['diagnostics', { previous_message_id: null }],
    ['fallbacks', [{ model: 'claude-haiku-4-5' }]],
    ['inference_geo', 'eu'],
    ['max_tokens', 77],
    ['mcp_servers', [{ type: 'url', name: 'a', url: 'https://a.example' }]],
    ['metadata', { user_id: 'who' }, { as: 'user' }],
    ['metadata.odd', 'who'],
    ['output_config.effort', 'low'],
    ['output_config.effort', 'max'],
    ['output_config.format', { type: 'json_schema', schema }],
    ['output_config.format.odd', 1, { given: { 'output_config.format': { type: 'json_schema', schema } } }],
    ['output_config.task_budget', { type: 'tokens', total: 20000 }],
    ['output_format', { type: 'json_schema', schema }],
    ['service_tier', 'standard_only'],
    ['speed', 'fast'],
    ['stop_sequences', ['END']],
    ['stream', true],
    ['system', 'Be brief.'],
    ['system', [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }]],
    ['system.0.cache_control', { type: 'ephemeral' }, { given: { system: [{ type: 'text', text: 'Be brief.' }] } }],
    ['system.0.citations', [{ type: 'char_location' }], { given: { system: [{ type: 'text', text: 'Be brief.' }] } }],
    ['temperature', 0.3],
    ['thinking', { type: 'enabled', budget_tokens: 2000 }],
    ['thinking', { type: 'adaptive' }, { usual: always }],
    ['thinking', { type: 'disabled' }, { usual: quiet }],
    [
      'thinking.display',
      'omitted',
      { given: { thinking: { type: 'enabled', budget_tokens: 2000 } }, usual: /OpenAI (o3|gpt-5)/ },
    ],
    ['thread', { id: 'x' }],
    ['tool_choice', { type: 'any' }, { given: { tools: [tool] } }],
    ['tool_choice', { type: 'none' }, { given: { tools: [tool] } }],
    ['tool_choice', { type: 'tool', name: 'weather' }, { given: { tools: [tool] } }],
    ['tool_choice.disable_parallel_tool_use', true, { given: { tools: [tool], tool_choice: { type: 'auto' } } }],
    ['tools', [tool]],
    ['tools', [{ type: 'web_search_20250305', name: 'web_search' }]],
    ['tools.0.allowed_callers', ['code_execution_20250825'], { given: { tools: [tool] } }],
    ['tools.0.cache_control', { type: 'ephemeral' }, { given: { tools: [tool] } }],
    ['tools.0.defer_loading', true, { given: { tools: [tool] } }],
    ['tools.0.description', 'Tells.', { given: { tools: [tool] } }],
    ['tools.0.eager_input_streaming', true, { given: { tools: [tool] } }],
    ['tools.0.input_examples', [{ city: 'Oslo' }], { given: { tools: [tool] } }],
    ['tools.0.strict', true, { given: { tools: [tool] } }],
    ['top_k', 5],
    ['top_p', 0.4],
    ['user_profile_id', 'x'],
    ['workspace_id', 'x'],
    ['odd', 1],
    ['messages.0.odd', 1],
    ['messages.0.content', [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }]],
    ['messages.0.content', [{ type: 'document', source: pdf }]],
    [
      'messages.0.content.0.title',
      'T',
      {
        given: {
          'messages.0.content': [
            { type: 'document', source: pdf },
            { type: 'text', text: 'a' },
          ],
        },
      },
    ],
    ['messages.0.content.0.context', 'C', { given: { 'messages.0.content': [{ type: 'document', source: pdf }] } }],
    [
      'messages.0.content.0.citations',
      { enabled: true },
      { given: { 'messages.0.content': [{ type: 'document', source: pdf }] } },
    ],
    ['messages.0.content.0.source.odd', 1, { given: { 'messages.0.content': [{ type: 'document', source: pdf }] } }],
    [
      'messages.0.content.0.cache_control',
      { type: 'ephemeral' },
      { given: { 'messages.0.content': [{ type: 'text', text: 'a' }] } },
    ],
    [
      'messages.0.content.0.cache_control.odd',
      1,
      { given: { 'messages.0.content': [{ type: 'text', text: 'a', cache_control: { type: 'ephemeral' } }] } },
    ],
    [
      'messages.0.content',
      [{ type: 'search_result', title: 't', source: 's', content: [{ type: 'text', text: 'x' }] }],
    ],
    [
      'messages.0.content.1',
      { type: 'container_upload', file_id: 'f' },
      { given: { 'messages.0.content': [{ type: 'text', text: 'a' }] } },
    ],
    ['messages.1.content.0.caller', { type: 'code_execution_20250825', tool_id: 'x' }, { given: claudeLoop }],
    ['messages.1.content.0.odd', 1, { given: claudeLoop }],
    ['messages.2.content.0.is_error', true, { given: claudeLoop }],
    ['messages.2.content.0.odd', true, { given: claudeLoop }],
    ['messages.2.content.0.content', [{ type: 'text', text: 'other' }], { given: claudeLoop }],
    ['messages.2.content.0.cache_control', { type: 'ephemeral' }, { given: claudeLoop }],
    ['messages.1', { role: 'assistant', content: 'So' }],
  ],
}

const declaration = { name: 'weather', parametersJsonSchema: schema }
const googleTools = { tools: [{ functionDeclarations: [declaration, { name: 'time' }] }] }
const contents = [{ role: 'user', parts: [{ text: 'Weather?' }] }]
const googleLoop = {
  ...googleTools,
  contents: [
    ...contents,
    { role: 'model', parts: [{ functionCall: { name: 'weather', args: { city: 'Rome' } } }] },
    { role: 'user', parts: [{ functionResponse: { name: 'weather', response: { output: 'fine' } } }] },
  ],
}
const config = (name: string, value: unknown, given: Readonly<Record<string, unknown>> = {}, usual?: RegExp): Row => [
  `generationConfig.${name}`,
  value,
  {
    ...(usual ? { usual } : {}),
    given: Object.fromEntries(Object.entries(given).map(([key, it]) => [`generationConfig.${key}`, it])),
  },
]

const google: Caller = {
  path: (model) => `/v1beta/models/${model}:generateContent`,
  base: { contents },
  rows: [
    ['systemInstruction', { parts: [{ text: 'Be brief.' }] }],
    ['systemInstruction.parts.0.odd', 1, { given: { systemInstruction: { parts: [{ text: 'Be brief.' }] } } }],
    ['tools', googleTools.tools],
    ['tools', [{ googleSearch: {} }]],
    ['tools', [{ codeExecution: {} }]],
    ['tools.0.functionDeclarations.0.description', 'Tells.', { given: googleTools }],
    ['tools.0.functionDeclarations.0.behavior', 'NON_BLOCKING', { given: googleTools }],
    ['tools.0.functionDeclarations.0.response', { type: 'STRING' }, { given: googleTools }],
    ['tools.0.functionDeclarations.0.responseJsonSchema', { type: 'string' }, { given: googleTools }],
    ['toolConfig.functionCallingConfig', { mode: 'ANY' }, { given: googleTools }],
    ['toolConfig.functionCallingConfig', { mode: 'NONE' }, { given: googleTools }],
    ['toolConfig.functionCallingConfig', { mode: 'VALIDATED' }, { given: googleTools }],
    ['toolConfig.functionCallingConfig', { mode: 'ANY', allowedFunctionNames: ['time'] }, { given: googleTools }],
    ['toolConfig.functionCallingConfig.streamFunctionCallArguments', true, { given: googleTools }],
    [
      'toolConfig.functionCallingConfig.allowedFunctionNames',
      ['time'],
      { given: { ...googleTools, 'toolConfig.functionCallingConfig.mode': 'MODE_UNSPECIFIED' } },
    ],
    ['toolConfig.retrievalConfig', { languageCode: 'de' }],
    ['toolConfig.includeServerSideToolInvocations', true],
    ['safetySettings', [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }]],
    ['cachedContent', 'cachedContents/1'],
    ['labels', { a: 'b' }, { as: 'metadata' }],
    ['serviceTier', 'flex'],
    ['store', true],
    ['modelArmorConfig', { promptTemplateName: 'x' }],
    ['odd', 1],
    config('temperature', 0.3),
    config('topP', 0.4),
    config('topK', 5),
    config('candidateCount', 2),
    config('maxOutputTokens', 77),
    config('stopSequences', ['END']),
    config('responseLogprobs', true),
    config('logprobs', 3, { responseLogprobs: true }),
    config('logprobs', 3),
    config('presencePenalty', 0.5),
    config('frequencyPenalty', 0.5),
    config('seed', 7),
    config('responseMimeType', 'application/json'),
    config('responseMimeType', 'text/x.enum'),
    config(
      'responseSchema',
      { type: 'OBJECT', properties: { city: { type: 'STRING' } } },
      { responseMimeType: 'application/json' },
    ),
    config('responseJsonSchema', schema, { responseMimeType: 'application/json' }),
    config('responseFormat', [{ type: 'text' }]),
    config('responseModalities', ['TEXT', 'IMAGE']),
    config('responseModalities', ['AUDIO']),
    config(
      'speechConfig',
      { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } },
      { responseModalities: ['AUDIO'] },
    ),
    config('speechConfig.languageCode', 'de-DE', { responseModalities: ['AUDIO'] }),
    config('speechConfig.multiSpeakerVoiceConfig', { speakerVoiceConfigs: [] }, { responseModalities: ['AUDIO'] }),
    config(
      'speechConfig.voiceConfig.replicatedVoiceConfig',
      { mimeType: 'audio/wav' },
      { responseModalities: ['AUDIO'] },
    ),
    config('speechConfig.voiceConfig.prebuiltVoiceConfig.odd', 1, { responseModalities: ['AUDIO'] }),
    config('speechConfig', { languageCode: 'de-DE' }),
    config('thinkingConfig.thinkingBudget', 3000),
    config('thinkingConfig.thinkingBudget', 0, {}, quiet),
    config('thinkingConfig.thinkingLevel', 'HIGH', {}, always),
    config('thinkingConfig.includeThoughts', true, { 'thinkingConfig.thinkingBudget': 3000 }, shows),
    config('thinkingConfig.odd', 1),
    config('mediaResolution', 'MEDIA_RESOLUTION_LOW'),
    config('imageConfig', { aspectRatio: '1:1' }),
    config('audioTimestamp', true),
    config('enableAffectiveDialog', true),
    config('enableEnhancedCivicAnswers', true),
    config('routingConfig', { autoMode: {} }),
    config('modelSelectionConfig', { a: 1 }),
    config('audioTranscriptionConfig', {}),
    config('translationConfig', { a: 1 }),
    config('odd', 1),
    ['contents.0.odd', 1],
    ['contents.0.parts.1', { inlineData: { mimeType: 'image/png', data: PNG } }],
    ['contents.0.parts.1', { inlineData: { mimeType: 'application/pdf', data: 'JVBERi0=' } }],
    ['contents.0.parts.1', { inlineData: { mimeType: 'audio/wav', data: 'AAAA' } }],
    ['contents.0.parts.1', { inlineData: { mimeType: 'video/mp4', data: 'AAAA' } }],
    ['contents.0.parts.1', { fileData: { mimeType: 'image/png', fileUri: 'https://a.example/a.png' } }],
    [
      'contents.0.parts.1',
      { fileData: { mimeType: 'image/png', fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/1' } },
    ],
    ['contents.0.parts.0.videoMetadata', { fps: 1 }],
    ['contents.0.parts.0.mediaResolution', { level: 'MEDIA_RESOLUTION_LOW' }],
    ['contents.0.parts.0.partMetadata', { a: 1 }],
    ['contents.0.parts.0.thought', true],
    [
      'contents.1.parts.1',
      { executableCode: { language: 'PYTHON', code: '1' } },
      { given: { 'contents.1': { role: 'model', parts: [{ text: 'a' }] }, 'contents.2': contents[0] } },
    ],
    ['contents.1.parts.0.functionCall.id', 'call-9', { given: googleLoop, ours: true }],
    ['contents.1.parts.0.functionCall.odd', 1, { given: googleLoop }],
    ['contents.1.parts.0.thoughtSignature', 'c2ln', { given: googleLoop }],
    ['contents.2.parts.0.functionResponse.scheduling', 'SILENT', { given: googleLoop }],
    ['contents.2.parts.0.functionResponse.willContinue', true, { given: googleLoop }],
    [
      'contents.2.parts.0.functionResponse.parts',
      [{ inlineData: { mimeType: 'image/png', data: PNG } }],
      { given: googleLoop },
    ],
    ['contents.2.parts.0.functionResponse.response', { error: 'no' }, { given: googleLoop }],
  ],
}

const cohereLoop = {
  tools: [weather],
  messages: [
    ask,
    called,
    { role: 'tool', tool_call_id: 'call_1', content: [{ type: 'document', document: { data: 'fine' } }] },
  ],
}

const cohereChat: Caller = {
  path: () => '/v2/chat',
  base: { messages: [ask], model: 'm' },
  rows: [
    ['stream', true],
    ['tools', [weather]],
    ['tools.0.function.description', 'Tells.', { given: { tools: [weather] } }],
    ['tools.0.function.odd', 1, { given: { tools: [weather] } }],
    ['strict_tools', true, { given: { tools: [weather] } }],
    ['documents', ['A fact.']],
    ['documents', [{ id: 'd', data: { text: 'A fact.' } }]],
    ['citation_options', { mode: 'ACCURATE' }],
    ['citation_options.odd', 1],
    ['response_format', { type: 'json_object' }],
    ['response_format', { type: 'json_object', json_schema: schema }],
    ['response_format.odd', 1, { given: { 'response_format.type': 'json_object' } }],
    ['safety_mode', 'OFF'],
    ['max_tokens', 77],
    ['stop_sequences', ['END']],
    ['temperature', 0.3],
    ['seed', 7],
    ['frequency_penalty', 0.5],
    ['presence_penalty', 0.5],
    ['k', 5, { as: 'top_k' }],
    ['p', 0.4, { as: 'top_p' }],
    ['logprobs', true],
    ['tool_choice', 'REQUIRED', { given: { tools: [weather] } }],
    ['tool_choice', 'NONE', { given: { tools: [weather] } }],
    ['thinking', { type: 'enabled', token_budget: 3000 }],
    ['thinking', { type: 'disabled' }, { usual: quiet }],
    ['thinking.odd', 1, { given: { 'thinking.type': 'enabled' } }],
    ['priority', 1],
    ['raw_prompting', true],
    ['odd', 1],
    ['messages.0', { role: 'system', content: 'Be brief.' }, { given: { 'messages.1': ask } }],
    ['messages.0.content', [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }]],
    [
      'messages.0.content.0.image_url.detail',
      'low',
      { given: { 'messages.0.content': [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }] } },
    ],
    ['messages.1.tool_plan', 'First', { given: cohereLoop }],
    ['messages.1.citations', [{ start: 0, end: 1, text: 'a' }], { given: cohereLoop }],
    ['messages.1.tool_calls.0.odd', 1, { given: cohereLoop }],
    ['messages.2.content.0.document.id', 'doc', { given: cohereLoop }],
    ['messages.2.content.0.odd', 1, { given: cohereLoop }],
  ],
}

const spec = { toolSpec: { name: 'weather', inputSchema: { json: schema } } }
const block = (text: string) => ({ role: 'user', content: [{ text }] })
const awsLoop = {
  'toolConfig.tools': [spec],
  messages: [
    block('Weather?'),
    { role: 'assistant', content: [{ toolUse: { toolUseId: 't1', name: 'weather', input: { city: 'Rome' } } }] },
    { role: 'user', content: [{ toolResult: { toolUseId: 't1', content: [{ text: 'fine' }] } }] },
  ],
}
const picture = { image: { format: 'png', source: { bytes: PNG } } }
const paper = { document: { format: 'pdf', name: 'a', source: { bytes: 'JVBERi0=' } } }

const converse: Caller = {
  path: (model) => `/model/${encodeURIComponent(model)}/converse`,
  base: { messages: [block('Weather?')] },
  rows: [
    ['system', [{ text: 'Be brief.' }]],
    ['system.1', { cachePoint: { type: 'default' } }, { given: { system: [{ text: 'Be brief.' }] }, as: 'cache' }],
    ['system.0.odd', 1, { given: { system: [{ text: 'Be brief.' }] } }],
    ['inferenceConfig.maxTokens', 77],
    ['inferenceConfig.temperature', 0.3],
    ['inferenceConfig.topP', 0.4],
    ['inferenceConfig.stopSequences', ['END']],
    ['inferenceConfig.odd', 1],
    ['toolConfig.tools', [spec]],
    ['toolConfig.tools', [{ systemTool: { name: 'nova_grounding' } }]],
    ['toolConfig.toolChoice', { any: {} }, { given: { 'toolConfig.tools': [spec] } }],
    ['toolConfig.toolChoice', { tool: { name: 'weather' } }, { given: { 'toolConfig.tools': [spec] } }],
    [
      'toolConfig.toolChoice.tool.odd',
      1,
      { given: { 'toolConfig.tools': [spec], 'toolConfig.toolChoice': { tool: { name: 'weather' } } } },
    ],
    ['toolConfig.tools.0.toolSpec.description', 'Tells.', { given: { 'toolConfig.tools': [spec] } }],
    ['toolConfig.tools.0.toolSpec.strict', true, { given: { 'toolConfig.tools': [spec] } }],
    ['toolConfig.tools.0.toolSpec.odd', true, { given: { 'toolConfig.tools': [spec] } }],
    ['toolConfig.tools.1', { cachePoint: { type: 'default' } }, { given: { 'toolConfig.tools': [spec] }, as: 'cache' }],
    ['guardrailConfig', { guardrailIdentifier: 'g', guardrailVersion: '1' }],
    ['additionalModelRequestFields', { top_k: 5 }, { as: 'topK' }],
    ['additionalModelRequestFields', { thinking: { type: 'enabled', budget_tokens: 2000 } }, { as: 'reasoning' }],
    ['additionalModelRequestFields', { thinking: { type: 'adaptive' } }, { as: 'reasoning', usual: always }],
    ['additionalModelRequestFields', { reasoning_effort: 'high' }, { as: 'reasoning', usual: always }],
    ['additionalModelRequestFields', { reasoning_effort: 'extreme' }],
    ['additionalModelRequestFields', { anthropic_beta: ['x'] }],
    [
      'additionalModelRequestFields',
      { thinking: { type: 'enabled', budget_tokens: 2000, odd: 1 } },
      { given: { additionalModelRequestFields: { thinking: { type: 'enabled', budget_tokens: 2000 } } } },
    ],
    ['promptVariables', { a: { text: 'b' } }],
    ['additionalModelResponseFieldPaths', ['/x']],
    ['requestMetadata', { a: 'b' }, { as: 'metadata' }],
    ['performanceConfig', { latency: 'optimized' }],
    ['serviceTier', { type: 'flex' }],
    ['serviceTier.odd', 1],
    [
      'outputConfig.textFormat',
      { type: 'json_schema', structure: { jsonSchema: { schema: JSON.stringify(schema), name: 'place' } } },
      { as: 'format' },
    ],
    [
      'outputConfig.textFormat.odd',
      1,
      {
        given: {
          'outputConfig.textFormat': {
            type: 'json_schema',
            structure: { jsonSchema: { schema: JSON.stringify(schema) } },
          },
        },
      },
    ],
    ['outputConfig.effort', 'high', { as: 'reasoning', usual: always }],
    [
      'outputConfig.effort',
      'high',
      {
        given: {
          'outputConfig.textFormat': {
            type: 'json_schema',
            structure: { jsonSchema: { schema: JSON.stringify(schema) } },
          },
        },
        as: 'reasoning',
        usual: always,
      },
    ],
    ['odd', 1],
    ['messages.0.odd', 1],
    ['messages.0.content.1', picture],
    ['messages.0.content.1', paper],
    ['messages.0.content.1', { video: { format: 'mp4', source: { bytes: 'AAAA' } } }],
    ['messages.0.content.1', { audio: { format: 'wav', source: { bytes: 'AAAA' } } }],
    ['messages.0.content.1', { guardContent: { text: { text: 'x', qualifiers: ['query'] } } }],
    ['messages.0.content.1', { searchResult: { title: 't', source: 's', content: [{ text: 'x' }] } }],
    ['messages.0.content.1', { cachePoint: { type: 'default' } }, { as: 'cache' }],
    ['messages.0.content.0.odd', 1],
    [
      'messages.0.content.0',
      { image: { format: 'png', source: { s3Location: { uri: 's3://b/a.png', bucketOwner: '1' } } } },
    ],
    ['messages.0.content.1.document.context', 'C', { given: { 'messages.0.content.1': paper } }],
    ['messages.0.content.1.document.citations', { enabled: true }, { given: { 'messages.0.content.1': paper } }],
    ['messages.0.content.1.image.odd', 1, { given: { 'messages.0.content.1': picture } }],
    ['messages.0.content.1.image.source.odd', 1, { given: { 'messages.0.content.1': picture } }],
    ['messages.1.content.0.toolUse.odd', 1, { given: awsLoop }],
    ['messages.2.content.0.toolResult.status', 'error', { given: awsLoop, as: 'isError' }],
    ['messages.2.content.0.toolResult.type', 'x', { given: awsLoop }],
    ['messages.2.content.0.toolResult.content', [{ json: { a: 1 } }], { given: awsLoop }],
    ['messages.2.content.0.toolResult.content.0.odd', 1, { given: awsLoop }],
  ],
}

const embeddings: Caller = {
  path: () => '/v1/embeddings',
  base: { input: ['a'], model: 'm' },
  rows: [
    ['dimensions', 64],
    ['encoding_format', 'base64', { ours: true }],
    ['input', [1, 2]],
    ['input', ['a', 'b']],
    ['user', 'who'],
    ['odd', 1],
  ],
}

const cohereEmbed: Caller = {
  path: () => '/v2/embed',
  base: { texts: ['a'], model: 'm', input_type: 'search_document', embedding_types: ['float'] },
  rows: [
    ['images', [`data:image/png;base64,${PNG}`]],
    ['input_type', 'search_query', { as: 'purpose' }],
    ['input_type', 'clustering', { as: 'purpose' }],
    ['max_tokens', 77],
    ['output_dimension', 64, { as: 'dimensions' }],
    ['embedding_types', ['base64'], { ours: true }],
    ['embedding_types', ['int8']],
    ['truncate', 'START'],
    ['truncate', 'NONE'],
    ['priority', 1],
    ['odd', 1],
  ],
}

const embedContent: Caller = {
  path: (model) => `/v1beta/models/${model}:embedContent`,
  base: { content: { parts: [{ text: 'a' }] } },
  rows: [
    ['taskType', 'RETRIEVAL_QUERY', { as: 'purpose' }],
    ['taskType', 'CODE_RETRIEVAL_QUERY'],
    ['title', 'T'],
    ['outputDimensionality', 64, { as: 'dimensions' }],
    ['autoTruncate', true],
    ['content.role', 'user', { ours: true }],
    ['content.odd', 1],
    ['content.parts.0.odd', 1],
    ['odd', 1],
  ],
}

interface Aim {
  readonly type: ProviderType
  readonly model: string
  readonly settings?: Json
}

const region = { region: 'us-east-1' }
const project = { project: 'project-one', location: 'europe-west4' }

/** Each provider with models that differ in what they take. */
const chatters: readonly Aim[] = [
  { type: 'OpenAI', model: 'gpt-4.1' },
  { type: 'OpenAI', model: 'o3' },
  { type: 'OpenAI', model: 'gpt-5-mini' },
  { type: 'OpenAI', model: 'gpt-5.1' },
  { type: 'AzureOpenAI', model: 'gpt-4o' },
  { type: 'AzureOpenAI', model: 'gpt-4o', settings: { apiVersion: '2024-10-21' } },
  { type: 'Anthropic', model: 'claude-3-5-haiku-latest' },
  { type: 'Anthropic', model: 'claude-sonnet-4-5' },
  { type: 'Anthropic', model: 'claude-opus-4-7' },
  { type: 'Gemini', model: 'gemini-2.5-flash' },
  { type: 'Gemini', model: 'gemini-2.0-flash' },
  { type: 'Gemini', model: 'gemini-3-pro-preview' },
  { type: 'VertexAI', model: 'gemini-2.5-flash', settings: project },
  { type: 'VertexAI', model: 'claude-sonnet-4-5@20250929', settings: project },
  { type: 'Bedrock', model: 'anthropic.claude-sonnet-4-5-20250929-v1:0', settings: region },
  { type: 'Bedrock', model: 'amazon.nova-pro-v1:0', settings: region },
  { type: 'Bedrock', model: 'amazon.nova-2-lite-v1:0', settings: region },
  { type: 'Bedrock', model: 'meta.llama3-1-70b-instruct-v1:0', settings: region },
  { type: 'Bedrock', model: 'openai.gpt-oss-120b-1:0', settings: region },
  { type: 'Bedrock', model: 'deepseek.r1-v1:0', settings: region },
  { type: 'Bedrock', model: 'cohere.command-r-plus-v1:0', settings: region },
  { type: 'Bedrock', model: 'mistral.mistral-large-2402-v1:0', settings: region },
  { type: 'Cohere', model: 'command-a-03-2025' },
  { type: 'Cohere', model: 'command-a-reasoning-08-2025' },
  { type: 'Mistral', model: 'mistral-large-latest' },
  { type: 'Mistral', model: 'magistral-medium-latest' },
  {
    type: 'WorkersAI',
    model: '@cf/meta/llama-3.1-8b-instruct',
    settings: { account: '0123456789abcdef0123456789abcdef' },
  },
  ...['Generic', 'VLLM', 'Ollama', 'TGI', 'Groq', 'Together', 'DeepSeek', 'XAI', 'OpenRouter', 'Fireworks'].map(
    (preset): Aim => ({ type: 'OpenAICompatible', model: 'llama', settings: { preset } }),
  ),
  { type: 'OpenAICompatible', model: 'deepseek-reasoner', settings: { preset: 'DeepSeek' } },
  { type: 'OpenAICompatible', model: 'grok-4', settings: { preset: 'XAI' } },
  { type: 'OpenAICompatible', model: 'openai/gpt-oss-120b', settings: { preset: 'Groq' } },
]

const embedders: readonly Aim[] = [
  { type: 'OpenAI', model: 'text-embedding-3-small' },
  { type: 'AzureOpenAI', model: 'text-embedding-3-small' },
  { type: 'Gemini', model: 'gemini-embedding-001' },
  { type: 'VertexAI', model: 'text-embedding-005', settings: project },
  { type: 'VertexAI', model: 'gemini-embedding-001', settings: project },
  { type: 'Bedrock', model: 'amazon.titan-embed-text-v2:0', settings: region },
  { type: 'Bedrock', model: 'cohere.embed-multilingual-v3', settings: region },
  { type: 'Cohere', model: 'embed-v4.0' },
  { type: 'Mistral', model: 'mistral-embed' },
  { type: 'OpenAICompatible', model: 'e5', settings: { preset: 'TEI' } },
  { type: 'OpenAICompatible', model: 'e5', settings: { preset: 'Generic' } },
]

/** Nothing that a choice among targets is made by. */
const nobody = { weight: 1, rank: 0, load: () => 0, available: () => 1 }

const building = new Endpoints({ now: () => 0 }, {})

function targetOf({ type, model, settings }: Aim): Target {
  const config = endpoint('e', 'https://provider.example', {
    provider: { type, ...(settings ? { settings } : {}) },
    models: [{ name: model, rank: 0, defaults: {}, force: {} }],
  })
  const built = building.build(config, compiled({}))
  const found = built.models.get(model)
  assert.ok(found)
  return { ...nobody, id: `e ${model}`, endpoint: built, model: found, priority: 0 }
}

interface Sent {
  /** Undefined where it was refused. */
  readonly text: string | undefined
  readonly dropped: readonly string[]
  readonly refused: string
}

/** What goes to the target. Throws what is no refusal of the caller's request. */
function send(caller: Caller, body: unknown, target: Target, onUnsupported: Rule['onUnsupported'] = 'Report'): Sent {
  const model = target.model.name
  const path = caller.path(model)
  const place = surfaceOf(path)
  assert.ok(place, path)
  const bytes = new Bytes([Buffer.from(JSON.stringify(body))])
  const incoming = { ...place, method: 'POST', query: '', headers: [], body: bytes }
  const facts = newFacts(incoming, { ...readDoor([]), requestId: 'r1' }, 0, 0)
  const exchange = new Exchange(incoming, facts)
  exchange.fields = requestFields(bytes)
  facts.requestedModel = place.found.model ?? model
  facts.stream = place.found.stream ?? exchange.fields.stream
  exchange.candidates = [target]
  exchange.rule = { onUnsupported } as Rule // nothing else of a rule is read here
  try {
    const { call, dropped } = translate(exchange, target, () => 0)
    const { path: to, headers, body: sent } = call
    return { text: `${to} ${headers.join(' ')} ${sent.slice(0, sent.length).toString()}`, dropped, refused: '' }
  } catch (error) {
    if (!(error instanceof Failure) || !(error.code === 'invalid_request' || error.code === 'not_translatable'))
      throw error
    return { text: undefined, dropped: [], refused: error.message }
  }
}

/** A copy of the body with the value at a dotted path, whose numbers are places in lists. */
function put(body: unknown, path: string, value: unknown): unknown {
  const [head = '', ...rest] = path.split('.')
  const inner = (was: unknown) => (rest.length === 0 ? value : put(was, rest.join('.'), value))
  if (/^\d+$/.test(head)) {
    const list = Array.isArray(body) ? [...(body as unknown[])] : []
    list[Number(head)] = inner(list[Number(head)])
    return list
  }
  const of = typeof body === 'object' && body !== null ? { ...(body as Json) } : {}
  return { ...of, [head]: inner(of[head]) }
}

const letters = (name: string) => name.toLowerCase().replaceAll(/[^a-z0-9.]/g, '')

/** What the canonical form, or a server, calls a field that callers call otherwise. */
const synonyms: readonly (readonly [reported: RegExp, path: RegExp])[] = [
  [/^(response_)?format/, /format|schema|mimetype/i],
  [/^reasoning/, /think|effort|reasoning/i],
  [/^logprobs$/, /logprobs/i],
  [/^top_?logprobs$/i, /logprobs/],
  [/^n$/, /candidateCount/],
  [/^stop$/, /stop/i],
  [/^(modalities|audio)/, /modalities|speechConfig/i],
  [/^tool_?choice$/i, /toolChoice|tool_choice|functionCallingConfig/],
  [/^parallel_?tool_?calls$/i, /parallel/],
  [/cache$/, /cache/i],
  [/^tools\.\d+\.strict$/, /strict/],
  [/isError$/, /functionResponse|toolResult/],
  [/signature$/, /signature/i],
  // Places in a conversation, which is not counted alike everywhere.
  [/^messages\.\d/, /^(messages|contents|input)\.\d/],
]

/** Whether what is reported as dropped is the field, a part of it, or what it is part of; names are the caller's or the canonical ones. */
function names(reported: string, path: string): boolean {
  if (synonyms.some(([one, other]) => one.test(reported) && other.test(path))) return true
  const [a, b] = [letters(reported), letters(path)]
  return a.startsWith(b) || b.startsWith(a) || b.endsWith(a) || a.split('.').at(-1) === b.split('.').at(-1)
}

const each = (caller: Caller, aims: readonly Aim[]) => {
  const silent: string[] = []
  for (const aim of aims) {
    const target = targetOf(aim)
    for (const [path, value, { given = {}, as, ours = false, usual } = {}] of caller.rows) {
      const without = Object.entries(given).reduce<unknown>((body, [at, it]) => put(body, at, it), {
        ...caller.base,
        ...(caller.base['model'] === undefined ? {} : { model: aim.model }),
      })
      const label = `${aim.type} ${aim.model}${typeof aim.settings?.['preset'] === 'string' ? ` (${aim.settings['preset']})` : ''}: ${path} = ${JSON.stringify(value).slice(0, 60)}`
      const before = send(caller, without, target)
      const after = send(caller, put(without, path, value), target)
      if (after.refused !== '') continue
      if (before.text === undefined) {
        silent.push(`${label}: nothing can be said without it: ${before.refused}`)
        continue
      }
      if (after.dropped.length > 0) {
        const strict = send(caller, put(without, path, value), target, 'Fail')
        for (const name of after.dropped)
          if (!strict.refused.includes(name)) silent.push(`${label}: strict does not name ${name}`)
      }
      if (after.text !== before.text || ours || usual?.test(label)) continue
      const said = after.dropped.join()
      if (!after.dropped.some((name) => names(name, path) || (as && names(name, as))))
        silent.push(`${label}: ${said === '' ? 'silently lost' : `reported as ${said}`}`)
    }
  }
  return silent
}

const chats = { chat, completions, responses, messages, google, cohereChat, converse }
for (const [name, caller] of Object.entries(chats))
  test(`request fields: ${name}: each is said, named as dropped, or refused, whatever the target`, () => {
    assert.deepEqual(each(caller, chatters), [])
  })

const vectors = { embeddings, cohereEmbed, embedContent }
for (const [name, caller] of Object.entries(vectors))
  test(`request fields: ${name}: each is said, named as dropped, or refused, whatever the target`, () => {
    assert.deepEqual(each(caller, embedders), [])
  })
