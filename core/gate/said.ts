import { estimateTokens } from '../estimate.ts'
import type { ChatEvent, FinishReason } from '../chat.ts'

/** What a target said of one answer, as far as it has come: what checks look at. */
export interface Said {
  readonly text: string
  readonly refusal: string
  readonly calls: readonly { readonly name: string; readonly arguments: string }[]
  /** Undefined: it goes on. */
  readonly finish: FinishReason | undefined
  /** Of each token of the text, natural logarithms; empty where none were given. */
  readonly logprobs: readonly number[]
  /** Sources that it points to in the dialect's own way. */
  readonly citations: number
  /** It holds pictures or sound, too. */
  readonly media: boolean
}

interface Growing extends Said {
  text: string
  refusal: string
  readonly calls: { name: string; arguments: string }[]
  finish: FinishReason | undefined
  readonly logprobs: number[]
  citations: number
  media: boolean
}

/** Characters of an answer that are kept; a longer one is not judged. */
const MOST = 1024 * 1024

/**
 * Hears what a target says, in the canonical form and whole, whatever the caller's dialect has a place for. One for each exchange that is
 * listened to; each call begins anew.
 */
export class Ear {
  /** Log-probabilities are asked for though the caller did not, and are kept from it. */
  readonly wantsLogprobs: boolean
  /** Pieces of text that came; of a stream about as many tokens. */
  tokens = 0
  /** It was too long, or more than one call had a part in it: nothing can be said of it. */
  lost = false
  private choices = new Map<number, Growing>()
  private size = 0

  constructor(wantsLogprobs: boolean) {
    this.wantsLogprobs = wantsLogprobs
  }

  /** A call begins. */
  begin(): void {
    this.choices = new Map()
    this.tokens = this.size = 0
    this.lost = false
  }

  lose(): void {
    this.lost = true
    this.choices.clear()
  }

  hear(events: readonly ChatEvent[]): void {
    if (this.lost) return
    for (const event of events) if ('choice' in event) this.take(event)
    if (this.size > MOST) this.lose()
  }

  /** The answers in their order; none where nothing was heard. */
  get said(): readonly Said[] {
    return [...this.choices].sort(([a], [b]) => a - b).map(([, said]) => said)
  }

  /** Tokens of all that was said, estimated. */
  get output(): number {
    let output = 0
    for (const { text, refusal, calls } of this.choices.values())
      output += estimateTokens([text, refusal, ...calls.map((call) => call.arguments)].join('\n'))
    return output
  }

  /** Every answer that began has ended. */
  get whole(): boolean {
    if (this.lost || this.choices.size === 0) return false
    for (const { finish } of this.choices.values()) if (finish === undefined) return false
    return true
  }

  private take(event: Extract<ChatEvent, { readonly choice: number }>): void {
    const said = this.of(event.choice)
    switch (event.type) {
      case 'text':
        said.text += event.text
        break
      case 'refusal':
        said.refusal += event.text
        break
      case 'tool':
        said.calls[event.index] = { name: event.name, arguments: '' }
        return
      case 'arguments': {
        const call = said.calls[event.index]
        if (call) call.arguments += event.text
        break
      }
      case 'logprobs':
        for (const { logprob } of event.content) said.logprobs.push(logprob)
        return
      case 'citation':
        said.citations++
        return
      case 'image':
      case 'audio':
        said.media = true
        return
      case 'finish':
        said.finish = event.reason
        return
      default:
        return
    }
    this.size += event.text.length
    if (event.text !== '') this.tokens++
  }

  private of(choice: number): Growing {
    let said = this.choices.get(choice)
    if (!said) {
      said = { text: '', refusal: '', calls: [], finish: undefined, logprobs: [], citations: 0, media: false }
      this.choices.set(choice, said)
    }
    return said
  }
}
