import type { Bytes } from '../bytes.ts'
import type { ArtefactFormat, ChatRequest } from '../chat.ts'
import { Failure } from '../errors.ts'
import type { Exchange } from '../exchange.ts'
import type { Layer } from '../pipeline.ts'
import type { Rule, Target } from '../target.ts'

/** Words without which a body has no artefacts, in any of the dialects that callers speak. */
const WORDS = ['ignature', 'redacted', 'encrypted', 'file_id', 'fileUri', 'reasoning_details'].map((word) =>
  Buffer.from(word),
)

/**
 * A conversation that carries what one provider alone understands (signatures of thoughts, ids of files) asks that provider's targets before
 * the others, whatever the weights say: another would have to leave those parts out. Where all targets of a rule take the same, there is
 * nothing to do, and no request is looked into.
 */
export const bind: Layer<Rule> = ({ targets }) => {
  const taken = new Map(targets.map((target) => [target, takes(target)]))
  const differ = new Set([...taken.values()].map((formats) => formats.join())).size > 1
  return (next) => {
    if (!differ) return next
    return (exchange) => {
      const carried = artefactsOf(exchange)
      if (carried.size > 0 && exchange.candidates.length > 1) {
        const own = (target: Target) => taken.get(target)?.some((format) => carried.has(format)) ?? false
        exchange.candidates = [...exchange.candidates.filter(own), ...exchange.candidates.filter((it) => !own(it))]
      }
      return next(exchange)
    }
  }
}

/** Whose artefacts a target takes. */
function takes({ endpoint, model }: Target): readonly string[] {
  return endpoint.provider.chat?.(model.name, endpoint.settings).artefacts ?? []
}

/** Whose artefacts a request carries. */
function artefactsOf(exchange: Exchange): ReadonlySet<string> {
  const { surface, body } = exchange
  if (!surface.chat || !mentions(body)) return new Set()
  try {
    return new Set(formats(exchange.read(surface.chat)))
  } catch (error) {
    // What we cannot read may still be what a target that speaks the same dialect takes.
    if (error instanceof Failure) return new Set()
    throw error
  }
}

const mentions = (body: Bytes): boolean => {
  const whole = body.slice(0, body.length)
  return WORDS.some((word) => whole.includes(word))
}

function* formats({ messages }: ChatRequest): Generator<ArtefactFormat> {
  for (const { content } of messages)
    for (const part of content) {
      if ('signature' in part && part.signature) yield part.signature.format
      if (part.type === 'redacted') yield part.data.format
      if ('source' in part && part.source.type === 'file') yield part.source.id.format
    }
}
