import type { Answering } from '../answering.ts'
import type { ChatRequest } from '../chat.ts'
import type { AnswerContext, ChatCaller, ChatReader, ChatWriter, Framing, Json } from '../dialects/dialect.ts'
import type { Exchange } from '../exchange.ts'
import { streamTypes } from '../framing.ts'
import type { Edit } from '../json-fields.ts'
import { malformed } from '../judge.ts'
import { ReadStream } from '../read-stream.ts'
import type { Target } from '../target.ts'
import { continued, marked, nativeEdits, textSoFar } from './prefill.ts'
import { continuation, replay } from './splice.ts'
import type { Splice } from './splice.ts'
import type { Transcript } from './transcript.ts'

/** How a target is asked to go on with an answer that stopped, and how its answer is joined to what the caller has. */
export interface Rejoining {
  /** The request in the canonical form. */
  readonly request: ChatRequest
  /** A body in the target's dialect, made of that. */
  body(said: Json): Json
  /** What differs in a body that passes in the caller's own dialect. */
  readonly edits: readonly Edit[]
  /** `framing`, `reader`: of the target's answer. */
  answering(framing: Framing, reader: () => ChatReader): Answering
}

/** `name`: the provider's own name for the model. Throws what reading the request throws. */
export function rejoin(exchange: Exchange, { endpoint, model }: Target, name: string): Rejoining | undefined {
  const { resume, surface, facts } = exchange
  const caller = surface.chat
  if (!resume || !caller) return undefined
  const { said } = resume
  const request = exchange.read(caller)
  const { provider, settings } = endpoint
  const declared = model.capabilities.prefill
  const takes = provider.prefill ? provider.prefill(name, settings, declared) : declared ? {} : undefined
  const prefill = declared === false ? undefined : takes
  const text = prefill && textSoFar(said, request)
  const context = { request, requestId: facts.requestId, now: Math.floor(facts.wall / 1000) }
  const joining = (splice: () => Splice) => answering(exchange, caller, context, said, splice)
  if (!prefill || text === undefined) {
    resume.way = 'replay'
    return { request, body: (body) => body, edits: [], answering: joining(() => replay(said)) }
  }
  resume.way = 'continue'
  const given = prefill.trims ? text.trimEnd() : text
  const gap = text.slice(given.length)
  const echoes = prefill.echoes ?? false
  return {
    request: continued(request, given, said),
    body: (body) => marked(body, prefill),
    edits: nativeEdits(surface.name, exchange.json, given, prefill, said),
    answering: joining(() => continuation(said, { gap, echoes })),
  }
}

function answering(
  { surface }: Exchange,
  caller: ChatCaller,
  context: AnswerContext,
  said: Transcript,
  splice: () => Splice,
): Rejoining['answering'] {
  return (framing, reader) => ({
    native: false,
    streamType: streamTypes[framing],
    callerType: surface.streamType ?? streamTypes.sse,
    stream: () => {
      // A transcript and a writer of its own: what comes of an attempt that fails before it has joined must leave no trace.
      const options = { framing, reader: reader(), choices: context.request.n ?? 1, transcript: said.copy() }
      return new ReadStream({ ...options, splice: splice() }, primed(caller.writer(context), said))
    },
    whole: () => malformed('A stream was asked for, and it is none.'),
  })
}

/** A writer that has said what the caller has: what it writes next follows on that. */
function primed(writer: ChatWriter, said: Transcript): ChatWriter {
  if (said.start) writer.write(said.start)
  // The role has been said.
  if (said.opened) writer.write({ type: 'text', choice: 0, text: '' })
  for (const piece of said.pieces) writer.write(piece)
  for (const choice of said.finished) writer.write({ type: 'finish', choice, reason: 'stop' })
  return writer
}
