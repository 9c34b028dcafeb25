import type { AnswerStream } from './answer-stream.ts'
import type { ChatEvent } from './chat.ts'
import { collect } from './collect.ts'
import { Malformed } from './dialects/dialect.ts'
import type { AnswerContext, ChatCaller, ChatTarget, TargetContext } from './dialects/dialect.ts'
import { streamTypes } from './framing.ts'
import { headerOf } from './headers.ts'
import { errorInside, judgeType, malformed } from './judge.ts'
import type { Judged } from './judge.ts'
import { heard, tapped } from './gate/overhear.ts'
import type { Ear } from './gate/said.ts'
import { answers, ReadStream } from './read-stream.ts'
import { Transcript } from './rescue/transcript.ts'
import type { Passing, Surface, Watch } from './surfaces/surface.ts'

/** What is to be kept of a streamed answer on its way, for the case that it stops or says nothing. */
export interface Keep {
  readonly refusesEmpty: () => boolean
}

/** How the answer of one attempt is read, judged, and said to the caller. */
export interface Answering {
  /** The target's own words may go to the caller as they are. */
  readonly native: boolean
  /** The content type of a streamed answer, as it comes and as it goes on. */
  readonly streamType: string
  readonly callerType: string
  stream(): AnswerStream
  /** A whole answer of status 2xx; `wall` is in ms since the epoch. */
  whole(headers: readonly string[], body: Buffer, wall: number): Judged
  /** It passes as it comes, and nothing of it is looked into. */
  flows?(headers: readonly string[]): boolean
  /** How much of a whole answer is held back, bytes. */
  readonly hold?: number
}

/** Both ends speak the surface: bytes pass. Undefined where the surface's answers are not looked into. */
export function passing(surface: Surface, options: Passing): Answering | undefined {
  const { fast, watch } = surface
  const callerType = surface.streamType ?? 'text/event-stream'
  if (fast)
    return {
      native: true,
      streamType: callerType,
      callerType,
      stream: () => fast.stream(options),
      whole: (headers, body, wall) => fast.whole(headers, body, wall),
    }
  if (!watch) return undefined
  const { framing } = watch
  return {
    native: true,
    streamType: streamTypes[framing],
    callerType,
    stream: () =>
      new ReadStream({
        framing,
        reader: watch.reader(),
        choices: options.choices,
        terminator: watch.terminator,
        foreign: watch.foreign,
        ...kept(options.keep),
      }),
    whole: (headers, body, wall) =>
      unread(watch, headers) === 'hold' ? {} : whole(headers, body, wall, (json) => watch.read(json)),
    ...('unread' in watch ? { flows: (headers) => unread(watch, headers) === 'flow' } : {}),
    ...(watch.hold === undefined ? {} : { hold: watch.hold }),
  }
}

const unread = (watch: Watch, headers: readonly string[]) =>
  watch.unread?.(headerOf(headers, 'content-type').trim().toLowerCase())

const kept = (keep: Keep | undefined) => keep && { transcript: new Transcript(), refusesEmpty: keep.refusesEmpty }

interface Ends {
  readonly caller: ChatCaller
  readonly target: ChatTarget
  readonly answer: AnswerContext
  readonly asked: TargetContext
  readonly surface: Surface
  readonly keep: Keep | undefined
  /** Listens to what the target says. */
  readonly ear: Ear | undefined
}

/** The target speaks another dialect than the caller: everything is said anew. */
export function translating({ caller, target, answer, asked, surface, keep, ear }: Ends): Answering {
  const { framing } = target
  const choices = answer.request.n ?? 1
  return {
    native: false,
    streamType: streamTypes[framing],
    callerType: surface.streamType ?? 'text/event-stream',
    stream: () =>
      new ReadStream(
        { framing, reader: tapped(target.reader(asked), ear), choices, ...kept(keep) },
        caller.writer(answer),
      ),
    whole(headers, body, wall) {
      let said: unknown
      const judged = whole(headers, body, wall, (json) => {
        const all = target.read(json, asked)
        const events = ear ? heard(all, ear) : all
        if (!events.some(({ type }) => type === 'error')) said = caller.answer(collect(events), answer)
        return events
      })
      return judged.fault ? judged : { ...judged, body: Buffer.from(JSON.stringify(said)) }
    },
  }
}

/** One request, one answer, never streamed: embeddings, rerank. `say` gives the caller's JSON; throws `Malformed`. */
export function converting(
  say: (body: unknown) => { readonly said: unknown; readonly usage: Judged['usage'] },
): Answering {
  return {
    native: false,
    streamType: '',
    callerType: '',
    stream: () => {
      throw new Error('it is never streamed')
    },
    whole(headers, body, _wall) {
      return read(headers, body, (json) => {
        const { said, usage } = say(json)
        return { usage, body: Buffer.from(JSON.stringify(said)) }
      })
    },
  }
}

/** An answer by the events that it is read into. */
function whole(
  headers: readonly string[],
  body: Buffer,
  wall: number,
  toEvents: (body: unknown) => readonly ChatEvent[],
): Judged {
  return read(headers, body, (json) => {
    let judged: Judged = {}
    let spoke = false
    for (const event of toEvents(json))
      if (event.type === 'error') return { ...judged, fault: errorInside(event.body, wall) }
      else if (event.type === 'usage') judged = { ...judged, usage: event.usage }
      else if (event.type === 'finish') judged = { ...judged, finishReason: event.reason }
      else if (answers(event)) spoke = true
    return spoke || judged.finishReason !== 'stop' ? judged : { ...judged, empty: true }
  })
}

function read(headers: readonly string[], body: Buffer, judge: (body: unknown) => Judged): Judged {
  const wrong = judgeType(headers)
  if (wrong) return wrong
  let json: unknown
  try {
    json = JSON.parse(body.toString())
  } catch (error) {
    const last = body.toString('latin1').trimEnd().at(-1)
    if (last !== '}' && last !== ']') return { fault: { code: 'upstream_truncated', detail: 'It is not whole JSON.' } }
    return malformed(error instanceof Error ? `${error.message}.` : 'It is not JSON.')
  }
  try {
    return judge(json)
  } catch (error) {
    if (error instanceof Malformed) return malformed(error.message)
    throw error
  }
}
