import { type Answer, event, json, streamed } from '../answer.ts'
import { think, type Voice } from '../mind.ts'
import { countTokens, seedOf } from '../text.ts'
import { type Body, count, onlyKnown, stops, strings, wantsUsage, within } from './fields.ts'

const known = new Set(
  'model prompt best_of echo frequency_penalty logit_bias logprobs max_tokens n presence_penalty seed stop stream stream_options suffix temperature top_p user'.split(
    ' ',
  ),
)

/** `POST /v1/completions`: https://platform.openai.com/docs/api-reference/completions */
export function completions(body: Body, voice: Voice): Answer {
  onlyKnown(body, known)
  within(body, 'temperature', 0, 2)
  const prompts = strings(body, 'prompt')
  // The real one stops at 16 unless told; the mock's own length is what tests set.
  const limit = count(body, 'max_tokens', 1, 1_000_000, voice.tokens)
  const n = count(body, 'n', 1, 128, 1)
  const stop = stops(body)
  const counted = wantsUsage(body)
  const says = prompts.flatMap((prompt) =>
    Array.from({ length: n }, (_, choice) => {
      const said = think({ voice, turns: [{ role: 'user', text: prompt }], choice, tools: [], limit, stop })
      return { ...said, text: body['echo'] === true ? [prompt, ...said.text] : said.text }
    }),
  )
  const prompt_tokens = prompts.reduce((sum, it) => sum + countTokens(it), 0)
  const completion_tokens = says.reduce((sum, it) => sum + it.tokens, 0)
  const usage = { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens }
  const id = `cmpl-${seedOf(prompts.join('\n')).toString(16).padStart(8, '0')}`
  const head = { id, object: 'text_completion', created: voice.created, model: String(body['model']) }
  const choice = (index: number, text: string, finish_reason: string | null): unknown => ({
    index,
    text,
    logprobs: null,
    finish_reason,
  })
  const finish = (said: (typeof says)[number]): string => (said.finish === 'length' ? 'length' : 'stop')
  if (body['stream'] !== true) {
    const choices = says.map((said, i) => choice(i, said.text.join(''), finish(said)))
    return json({ ...head, choices, usage }, 200, {}, completion_tokens)
  }
  const said = says.flatMap((it, i) => [
    ...it.text.map((text) => ({ ...head, choices: [choice(i, text, null)] })),
    { ...head, choices: [choice(i, '', finish(it))] },
  ])
  const all = counted ? [...said, { ...head, choices: [], usage }] : said
  return streamed([...all.map((it) => event(it)), 'data: [DONE]\n\n'], completion_tokens)
}
