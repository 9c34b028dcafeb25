import Anthropic from '@anthropic-ai/sdk'
import { BedrockRuntimeClient, ConverseCommand, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime'
import type { ContentBlock, ConverseCommandInput, Message } from '@aws-sdk/client-bedrock-runtime'
import { GoogleGenAI } from '@google/genai'
import type { Content, GenerateContentResponse } from '@google/genai'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { CohereClientV2 } from 'cohere-ai'
import type { Cohere } from 'cohere-ai'
import OpenAI from 'openai'
import { ASK, HELLO, LOOK, PNG, SYSTEM, tools } from './said.ts'
import type { Caller, Said, Scenario } from './said.ts'

/** The official SDKs of JavaScript, each unchanged, with a key that is the caller's own and goes nowhere. */

const KEY = 'the-callers-own'
const picture = `data:image/png;base64,${PNG}`

const openai: Caller = {
  name: 'OpenAI chat',
  ended: ['stop'],
  called: ['tool_calls'],
  async ask(url, model, scenario, stream) {
    const sdk = new OpenAI({ baseURL: `${url}/v1`, apiKey: KEY, maxRetries: 0 })
    const request = {
      model,
      messages: openaiMessages(scenario),
      ...(needsTools(scenario) ? { tools: openaiTools } : {}),
    }
    const answer = stream
      ? await sdk.chat.completions.stream({ ...request, stream_options: { include_usage: true } }).finalChatCompletion()
      : await sdk.chat.completions.create(request)
    const choice = answer.choices[0]
    return {
      text: choice?.message.content ?? '',
      calls: (choice?.message.tool_calls ?? []).map((call) =>
        call.type === 'function'
          ? { name: call.function.name, arguments: JSON.parse(call.function.arguments) as unknown }
          : { name: call.type, arguments: undefined },
      ),
      finish: choice?.finish_reason ?? '',
      usage: { input: answer.usage?.prompt_tokens ?? 0, output: answer.usage?.completion_tokens ?? 0 },
    }
  },
}

const openaiTools: OpenAI.ChatCompletionFunctionTool[] = tools.map((it) => ({ type: 'function', function: { ...it } }))

const called = [
  { id: 'call_1', type: 'function' as const, function: { name: 'get_weather', arguments: '{"place":"harbour"}' } },
  { id: 'call_2', type: 'function' as const, function: { name: 'get_time', arguments: '{}' } },
]

/** The conversations of OpenAI's chat and of Cohere's, which differ in how they write these. */
function conversation<const Picture, const Turn, const Result>(
  scenario: Scenario,
  look: Picture,
  turn: Turn,
  result: (id: string, content: string) => Result,
) {
  const system = { role: 'system' as const, content: SYSTEM }
  const user = { role: 'user' as const }
  const text = { type: 'text' as const, text: LOOK }
  if (scenario === 'text') return [system, { ...user, content: HELLO }]
  if (scenario === 'image') return [{ ...user, content: [text, look] }]
  const ask = { ...user, content: ASK }
  return scenario === 'tools' ? [ask] : [ask, turn, result('call_1', 'Clear'), result('call_2', '4:20 PM')]
}

const openaiMessages = (scenario: Scenario): OpenAI.ChatCompletionMessageParam[] =>
  conversation(
    scenario,
    { type: 'image_url', image_url: { url: picture } },
    { role: 'assistant', content: 'One moment.', tool_calls: called },
    (tool_call_id, content) => ({ role: 'tool' as const, tool_call_id, content }),
  )

const responses: Caller = {
  name: 'OpenAI Responses',
  ended: ['completed'],
  called: ['completed'],
  async ask(url, model, scenario, stream) {
    const sdk = new OpenAI({ baseURL: `${url}/v1`, apiKey: KEY, maxRetries: 0 })
    const request = {
      model,
      input: responsesInput(scenario),
      store: false,
      ...(scenario === 'text' ? { instructions: SYSTEM } : {}),
      ...(needsTools(scenario)
        ? { tools: tools.map((it) => ({ type: 'function' as const, strict: false, ...it })) }
        : {}),
    }
    const answer = stream ? await sdk.responses.stream(request).finalResponse() : await sdk.responses.create(request)
    return {
      text: answer.output_text,
      calls: answer.output.flatMap((item) =>
        item.type === 'function_call' ? [{ name: item.name, arguments: JSON.parse(item.arguments) as unknown }] : [],
      ),
      finish: answer.status ?? '',
      usage: { input: answer.usage?.input_tokens ?? 0, output: answer.usage?.output_tokens ?? 0 },
    }
  },
}

function responsesInput(scenario: Scenario): OpenAI.Responses.ResponseInput {
  if (scenario === 'text') return [{ role: 'user', content: HELLO }]
  if (scenario === 'image')
    return [
      {
        role: 'user',
        content: [
          { type: 'input_text', text: LOOK },
          { type: 'input_image', image_url: picture, detail: 'auto' },
        ],
      },
    ]
  const ask: OpenAI.Responses.ResponseInputItem = { role: 'user', content: ASK }
  if (scenario === 'tools') return [ask]
  return [
    ask,
    { type: 'function_call', call_id: 'call_1', name: 'get_weather', arguments: '{"place":"harbour"}' },
    { type: 'function_call', call_id: 'call_2', name: 'get_time', arguments: '{}' },
    { type: 'function_call_output', call_id: 'call_1', output: 'Clear' },
    { type: 'function_call_output', call_id: 'call_2', output: '4:20 PM' },
  ]
}

const anthropic: Caller = {
  name: 'Anthropic',
  ended: ['end_turn'],
  called: ['tool_use'],
  async ask(url, model, scenario, stream) {
    const sdk = new Anthropic({ baseURL: url, apiKey: KEY, maxRetries: 0 })
    const request = {
      model,
      max_tokens: 500,
      messages: anthropicMessages(scenario),
      ...(scenario === 'text' ? { system: SYSTEM } : {}),
      ...(needsTools(scenario)
        ? {
            tools: tools.map(({ name, description, parameters }) => ({
              name,
              description,
              input_schema: schemaOf(parameters),
            })),
          }
        : {}),
    }
    const answer = stream ? await sdk.messages.stream(request).finalMessage() : await sdk.messages.create(request)
    return {
      text: answer.content.map((block) => (block.type === 'text' ? block.text : '')).join(''),
      calls: answer.content.flatMap((block) =>
        block.type === 'tool_use' ? [{ name: block.name, arguments: block.input }] : [],
      ),
      finish: answer.stop_reason ?? '',
      usage: { input: answer.usage.input_tokens, output: answer.usage.output_tokens },
    }
  },
}

/** The SDKs want lists that may be changed. */
const schemaOf = (schema: (typeof tools)[number]['parameters']) => structuredClone(schema) as Anthropic.Tool.InputSchema

function anthropicMessages(scenario: Scenario): Anthropic.MessageParam[] {
  if (scenario === 'text') return [{ role: 'user', content: HELLO }]
  if (scenario === 'image')
    return [
      {
        role: 'user',
        content: [
          { type: 'text', text: LOOK },
          { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
        ],
      },
    ]
  const ask: Anthropic.MessageParam = { role: 'user', content: ASK }
  if (scenario === 'tools') return [ask]
  return [
    ask,
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'One moment.' },
        { type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { place: 'harbour' } },
        { type: 'tool_use', id: 'toolu_2', name: 'get_time', input: {} },
      ],
    },
    {
      role: 'user',
      content: [
        { type: 'tool_result', tool_use_id: 'toolu_1', content: 'Clear' },
        { type: 'tool_result', tool_use_id: 'toolu_2', content: '4:20 PM' },
      ],
    },
  ]
}

const google: Caller = {
  name: 'Google GenAI',
  ended: ['STOP'],
  called: ['STOP'],
  async ask(url, model, scenario, stream) {
    const sdk = new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: url } })
    const request = {
      model,
      contents: googleContents(scenario),
      config: {
        ...(scenario === 'text' ? { systemInstruction: SYSTEM } : {}),
        ...(needsTools(scenario)
          ? {
              tools: [
                {
                  functionDeclarations: tools.map(({ name, description, parameters }) => ({
                    name,
                    description,
                    parametersJsonSchema: parameters,
                  })),
                },
              ],
            }
          : {}),
      },
    }
    if (!stream) return googleSaid([await sdk.models.generateContent(request)])
    const chunks: GenerateContentResponse[] = []
    for await (const chunk of await sdk.models.generateContentStream(request)) chunks.push(chunk)
    return googleSaid(chunks)
  },
}

function googleSaid(chunks: readonly GenerateContentResponse[]): Said {
  const parts = chunks.flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? [])
  const usage = chunks.findLast(({ usageMetadata }) => usageMetadata)?.usageMetadata
  return {
    text: parts.map(({ text, thought }) => (thought ? '' : (text ?? ''))).join(''),
    calls: parts.flatMap(({ functionCall }) =>
      functionCall ? [{ name: functionCall.name ?? '', arguments: functionCall.args }] : [],
    ),
    finish: chunks.findLast(({ candidates }) => candidates?.[0]?.finishReason)?.candidates?.[0]?.finishReason ?? '',
    usage: {
      input: usage?.promptTokenCount ?? 0,
      output: (usage?.candidatesTokenCount ?? 0) + (usage?.thoughtsTokenCount ?? 0),
    },
  }
}

function googleContents(scenario: Scenario): Content[] {
  if (scenario === 'text') return [{ role: 'user', parts: [{ text: HELLO }] }]
  if (scenario === 'image')
    return [{ role: 'user', parts: [{ text: LOOK }, { inlineData: { mimeType: 'image/png', data: PNG } }] }]
  const ask: Content = { role: 'user', parts: [{ text: ASK }] }
  if (scenario === 'tools') return [ask]
  return [
    ask,
    {
      role: 'model',
      parts: [
        { text: 'One moment.' },
        {
          functionCall: { name: 'get_weather', args: { place: 'harbour' } },
          // What Google's documentation has for calls of another model's making.
          thoughtSignature: 'skip_thought_signature_validator',
        },
        { functionCall: { name: 'get_time', args: {} } },
      ],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { name: 'get_weather', response: { output: 'Clear' } } },
        { functionResponse: { name: 'get_time', response: { output: '4:20 PM' } } },
      ],
    },
  ]
}

const cohere: Caller = {
  name: 'Cohere',
  ended: ['COMPLETE'],
  called: ['TOOL_CALL'],
  async ask(url, model, scenario, stream) {
    const sdk = new CohereClientV2({ environment: url, token: KEY, maxRetries: 0 })
    const request = {
      model,
      messages: cohereMessages(scenario),
      ...(needsTools(scenario)
        ? {
            tools: tools.map((it): Cohere.ToolV2 => ({
              type: 'function',
              function: { ...it, parameters: { ...it.parameters } },
            })),
          }
        : {}),
    }
    if (stream) return cohereStream(await sdk.chatStream(request))
    const answer = await sdk.chat(request)
    const text = (answer.message.content ?? []).map((part) => (part.type === 'text' ? part.text : '')).join('')
    return {
      text: (answer.message.toolPlan ?? '') + text,
      calls: (answer.message.toolCalls ?? []).map((call) => ({
        name: call.function?.name ?? '',
        arguments: JSON.parse(call.function?.arguments ?? '') as unknown,
      })),
      finish: answer.finishReason,
      usage: cohereUsage(answer.usage),
    }
  },
}

const cohereUsage = (usage: Cohere.Usage | undefined) => ({
  input: usage?.tokens?.inputTokens ?? 0,
  output: usage?.tokens?.outputTokens ?? 0,
})

async function cohereStream(stream: AsyncIterable<Cohere.V2ChatStreamResponse>): Promise<Said> {
  let text = ''
  let finish = ''
  let usage = { input: 0, output: 0 }
  const calls: { name: string; text: string }[] = []
  for await (const event of stream)
    switch (event.type) {
      case 'content-delta':
        text += event.delta?.message?.content?.text ?? ''
        break
      case 'tool-plan-delta':
        text += event.delta?.message?.toolPlan ?? ''
        break
      case 'tool-call-start':
        calls.push({ name: event.delta?.message?.toolCalls?.function?.name ?? '', text: '' })
        break
      case 'tool-call-delta': {
        const call = calls[event.index ?? -1]
        if (call) call.text += event.delta?.message?.toolCalls?.function?.arguments ?? ''
        break
      }
      case 'message-end':
        finish = event.delta?.finishReason ?? ''
        usage = cohereUsage(event.delta?.usage)
        break
      default:
    }
  return {
    text,
    finish,
    usage,
    calls: calls.map((it) => ({ name: it.name, arguments: JSON.parse(it.text) as unknown })),
  }
}

const cohereMessages = (scenario: Scenario): Cohere.ChatMessages =>
  conversation(
    scenario,
    { type: 'image_url', imageUrl: { url: picture } },
    { role: 'assistant', toolPlan: 'One moment.', toolCalls: called },
    (toolCallId, content) => ({ role: 'tool' as const, toolCallId, content }),
  )

const bedrock: Caller = {
  name: 'AWS Bedrock',
  ended: ['end_turn'],
  called: ['tool_use'],
  async ask(url, model, scenario, stream) {
    const sdk = new BedrockRuntimeClient({
      endpoint: url,
      region: 'eu-west-1',
      credentials: { accessKeyId: KEY, secretAccessKey: KEY },
      maxAttempts: 1,
      // The SDK speaks HTTP/2 by itself, the sidecar HTTP/1.1.
      requestHandler: new NodeHttpHandler(),
    })
    try {
      const request: ConverseCommandInput = {
        modelId: model,
        messages: bedrockMessages(scenario),
        ...(scenario === 'text' ? { system: [{ text: SYSTEM }] } : {}),
        ...(needsTools(scenario)
          ? {
              toolConfig: {
                tools: tools.map(({ name, description, parameters }) => ({
                  toolSpec: { name, description, inputSchema: { json: structuredClone(parameters) as never } }, // plain JSON
                })),
              },
            }
          : {}),
      }
      return stream ? await bedrockStream(sdk, request) : await bedrockWhole(sdk, request)
    } finally {
      sdk.destroy()
    }
  },
}

async function bedrockWhole(sdk: BedrockRuntimeClient, request: ConverseCommandInput): Promise<Said> {
  const { output, stopReason, usage } = await sdk.send(new ConverseCommand(request))
  const content = output?.message?.content ?? []
  return {
    text: content.map(({ text = '' }) => text).join(''),
    calls: content.flatMap(({ toolUse }) => (toolUse ? [{ name: toolUse.name ?? '', arguments: toolUse.input }] : [])),
    finish: stopReason ?? '',
    usage: { input: usage?.inputTokens ?? 0, output: usage?.outputTokens ?? 0 },
  }
}

async function bedrockStream(sdk: BedrockRuntimeClient, request: ConverseCommandInput): Promise<Said> {
  const { stream } = await sdk.send(new ConverseStreamCommand(request))
  let text = ''
  let finish = ''
  let usage = { input: 0, output: 0 }
  const calls: { name: string; text: string }[] = []
  for await (const event of stream ?? []) {
    if (event.contentBlockStart?.start?.toolUse)
      calls.push({ name: event.contentBlockStart.start.toolUse.name ?? '', text: '' })
    const delta = event.contentBlockDelta?.delta
    text += delta?.text ?? ''
    const call = calls.at(-1)
    if (call && delta?.toolUse) call.text += delta.toolUse.input ?? ''
    finish = event.messageStop?.stopReason ?? finish
    const used = event.metadata?.usage
    if (used) usage = { input: used.inputTokens ?? 0, output: used.outputTokens ?? 0 }
  }
  // Bedrock itself sends nothing for a call without arguments.
  return {
    text,
    finish,
    usage,
    calls: calls.map((it) => ({ name: it.name, arguments: JSON.parse(it.text || '{}') as unknown })),
  }
}

function bedrockMessages(scenario: Scenario): Message[] {
  const say = (role: 'user' | 'assistant', ...content: ContentBlock[]): Message => ({ role, content })
  if (scenario === 'text') return [say('user', { text: HELLO })]
  if (scenario === 'image')
    return [say('user', { text: LOOK }, { image: { format: 'png', source: { bytes: Buffer.from(PNG, 'base64') } } })]
  const ask = say('user', { text: ASK })
  if (scenario === 'tools') return [ask]
  return [
    ask,
    say(
      'assistant',
      { text: 'One moment.' },
      { toolUse: { toolUseId: 'tooluse_1', name: 'get_weather', input: { place: 'harbour' } } },
      { toolUse: { toolUseId: 'tooluse_2', name: 'get_time', input: {} } },
    ),
    say(
      'user',
      { toolResult: { toolUseId: 'tooluse_1', content: [{ text: 'Clear' }] } },
      { toolResult: { toolUseId: 'tooluse_2', content: [{ text: '4:20 PM' }] } },
    ),
  ]
}

const needsTools = (scenario: Scenario): boolean => scenario === 'tools' || scenario === 'results'

/** The callers of JavaScript. */
export const nodeCallers: readonly Caller[] = [openai, responses, anthropic, google, cohere, bedrock]
