/** The chat request of 0.3 KB that every benchmark sends. */
export const request = JSON.stringify({
  model: 'gpt-4o-mini',
  messages: [
    { role: 'system', content: 'You answer questions of customers about their orders, briefly and politely.' },
    {
      role: 'user',
      content: 'My parcel was to arrive on Tuesday and it is not here yet. Where is it, and when will I have it?',
    },
  ],
  temperature: 0.2,
  max_tokens: 256,
})

/** The same, asking for a stream. */
export const streamRequest = JSON.stringify({ ...JSON.parse(request), stream: true })

/** A prompt of 500 KB, for a model that goes by another name upstream: where the system has names of its own, that field is rewritten. */
export const largeRequest = JSON.stringify({
  ...JSON.parse(request),
  model: 'support-chat',
  messages: [{ role: 'user', content: 'The minutes of the meeting follow; list what was decided. '.repeat(8621) }],
})

const sentence =
  'Your parcel left our warehouse on Monday and is with the carrier, who expects to deliver it on Thursday before noon. '

/** The answer of 1.5 KB. Without `$`, `'` and `;`, which the configuration of nginx would read. */
export const answer = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1700000000,
  model: 'gpt-4o-mini',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: sentence.repeat(10).trimEnd(), refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 52, completion_tokens: 240, total_tokens: 292 },
  system_fingerprint: 'fp_bench',
})

/** Marks the time of sending in a streamed event: `@` and milliseconds since 1970 with three decimals, 18 bytes. */
export const stamp = { mark: 64, length: 18 } as const

/** Milliseconds since 1970 with the resolution of the monotonic clock, comparable between processes of one machine. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}
