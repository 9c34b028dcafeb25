/** What an SDK handed to its user, in words that all of them share. */
export interface Said {
  readonly text: string
  /** Calls in their order, with arguments as the SDK parsed them. */
  readonly calls: readonly { readonly name: string; readonly arguments: unknown }[]
  /** The SDK's own word for why it ended. */
  readonly finish: string
  readonly usage: { readonly input: number; readonly output: number }
}

/** What each caller is made to ask of each model. */
export const scenarios = ['text', 'tools', 'results', 'image'] as const
export type Scenario = (typeof scenarios)[number]

export const SYSTEM = 'Be brief.'
export const HELLO = 'Say hello to the harbour'
/** Names two tools, so that the simulated models call both at once. */
export const ASK = 'aloud get_weather and get_time, please'
export const LOOK = 'What is it?'
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

/** Two tools: one with a parameter that is required, one without parameters. */
export const tools = [
  {
    name: 'get_weather',
    description: 'The weather of a place.',
    parameters: {
      type: 'object' as const,
      properties: { place: { type: 'string' as const } },
      required: ['place'],
      additionalProperties: false,
    },
  },
  { name: 'get_time', description: 'The time.', parameters: { type: 'object' as const, properties: {} } },
] as const

/** One way of asking: an SDK, for one scenario, whole or streamed. */
export interface Caller {
  /** As the table names it. */
  readonly name: string
  /** The words that mean: it ended by itself, and: it calls tools. */
  readonly ended: readonly string[]
  readonly called: readonly string[]
  ask(url: string, model: string, scenario: Scenario, stream: boolean): Promise<Said>
}
