import { array, integer, object, optional, string } from './schema.ts'
import type { Static } from './schema.ts'

/**
 * What a model costs. In manifests and on the wire prices are decimal strings, in USD per million tokens (`request`: per thousand); on the
 * request path they are picodollars (10⁻¹² USD) for one token or one request, which for six decimals are whole numbers, so that costs are
 * added without a rounding error.
 */

const usd = (description: string) =>
  optional(string({ maxLength: 16, pattern: '^(0|[1-9][0-9]{0,5})(\\.[0-9]{1,6})?$', description }))

const rates = {
  input: usd('Tokens of the prompt.'),
  output: usd('Tokens of the answer, hidden reasoning included.'),
  cacheRead: usd('Prompt tokens read from the provider’s cache. Default: input.'),
  cacheWrite: usd(
    'Prompt tokens written to the cache, for five minutes where the provider offers several times. Default: input.',
  ),
  cacheWrite1h: usd(
    'Prompt tokens written to the cache for an hour. Default: 1.6 × cacheWrite, the ratio of Anthropic’s list.',
  ),
  audioInput: usd('Prompt tokens of audio. Default: input.'),
  audioCacheRead: usd('Prompt tokens of audio read from the cache. Default: cacheRead.'),
  audioOutput: usd('Answer tokens of audio. Default: output.'),
  imageInput: usd('Prompt tokens of images. Default: input.'),
  imageOutput: usd('Answer tokens of images. Default: output.'),
  videoInput: usd('Prompt tokens of video. Default: input.'),
}

const described = {
  description:
    'What the model costs, as decimal strings in USD per million tokens. It takes the place of the price table’s entry as a whole.',
}

/** The same in `spec.models[].price` and in a compiled endpoint. */
export const priceSchema = object(
  {
    ...rates,
    audioHour: usd('USD for an hour of sound that came in, where its length is billed.'),
    request: usd(
      'USD per thousand requests, or per thousand search units where the provider counts those, besides the tokens.',
    ),
    tiers: optional(
      array(
        object({
          above: integer({
            minimum: 1,
            maximum: 1_000_000_000,
            description:
              'Prompts of more tokens than this, cached ones included, pay the prices of this tier for all their tokens.',
          }),
          ...rates,
        }),
        {
          maxItems: 4,
          description: 'Other prices for long prompts; what a tier leaves out costs what it costs below.',
          rules: [
            {
              rule: 'self.all(a, self.exists_one(b, b.above == a.above))',
              message: 'Two tiers have the same above.',
            },
          ],
        },
      ),
    ),
  },
  {
    ...described,
    rules: [
      {
        rule: 'has(self.input) || has(self.request) || has(self.audioHour)',
        message: 'Give input, or request or audioHour where tokens are not billed.',
      },
    ],
  },
)

export type PriceList = Static<typeof priceSchema>

/** Picodollars of one token of each kind; a kind without a price of its own has that of the kind it is part of. */
export interface Rates {
  readonly input: number | undefined
  readonly output: number | undefined
  readonly cacheRead: number | undefined
  readonly cacheWrite: number | undefined
  readonly cacheWrite1h: number | undefined
  readonly audioInput: number | undefined
  readonly audioCacheRead: number | undefined
  readonly audioOutput: number | undefined
  readonly imageInput: number | undefined
  readonly imageOutput: number | undefined
  readonly videoInput: number | undefined
}

/** A price as costs are worked out by it. */
export interface Price {
  readonly base: Rates
  /** Picodollars of one request or search unit. */
  readonly request: number
  /** Picodollars of an hour of sound. */
  readonly audioHour: number | undefined
  /** By rising size of the prompt. */
  readonly tiers: readonly { readonly above: number; readonly rates: Rates }[]
}

/** Reads a price. The schema has checked the form. */
export function priceOf(list: PriceList): Price {
  const { tiers = [], request, audioHour } = list
  const rising = tiers.toSorted((a, b) => a.above - b.above)
  let below: Listed = list
  return {
    base: ratesOf(list),
    request: request === undefined ? 0 : scaled(request, 9),
    audioHour: audioHour === undefined ? undefined : scaled(audioHour, 12),
    tiers: rising.map(({ above, ...tier }) => {
      below = { ...below, ...tier }
      return { above, rates: ratesOf(below) }
    }),
  }
}

type Listed = Omit<PriceList, 'tiers' | 'request' | 'audioHour'>

/** https://docs.anthropic.com/en/docs/build-with-claude/prompt-caching#pricing: 1.25 × input for five minutes, 2 × for an hour. */
const HOUR = 1.6

function ratesOf(list: Listed): Rates {
  const of = (text: string | undefined) => (text === undefined ? undefined : scaled(text, 6))
  const input = of(list.input)
  const output = of(list.output)
  const cacheRead = of(list.cacheRead) ?? input
  const write = of(list.cacheWrite)
  return {
    input,
    output,
    cacheRead,
    cacheWrite: write ?? input,
    cacheWrite1h: of(list.cacheWrite1h) ?? (write === undefined ? input : Math.round(write * HOUR)),
    audioInput: of(list.audioInput) ?? input,
    audioCacheRead: of(list.audioCacheRead) ?? cacheRead,
    audioOutput: of(list.audioOutput) ?? output,
    imageInput: of(list.imageInput) ?? input,
    imageOutput: of(list.imageOutput) ?? output,
    videoInput: of(list.videoInput) ?? input,
  }
}

/** A decimal of at most so many places times ten to their number: digits are moved, nothing is multiplied. */
function scaled(decimal: string, places: number): number {
  const [whole = '', fraction = ''] = decimal.split('.')
  return Number(whole + fraction.slice(0, places).padEnd(places, '0'))
}
