import type { AttemptFacts, Facts, Usage } from '../core/exchange.ts'

/**
 * The one line of a request, as JSON. Put together by hand: it is the hot path's largest single cost, and `JSON.stringify` of an object
 * doubles that. No header and no body is ever part of it; `error` may quote what a
 * target said of its failure, without the credential that it was sent.
 */
export function requestLine(facts: Facts, level: 'info' | 'warn', trace: string | undefined): string {
  const { attempts, code, error, usage, finishReason } = facts
  let line = `{"time":${facts.wall},"level":"${level}","msg":"request","id":${quote(facts.requestId)}`
  if (trace !== undefined) line += `,"trace":"${trace}"`
  line += `,"surface":"${facts.surface}","method":${quote(facts.method)},"path":${quote(facts.path)}`
  if (facts.route !== '') line += `,"route":${quote(facts.route)},"rule":${quote(facts.rule)}`
  if (facts.requestedModel !== '') line += `,"requested":${quote(facts.requestedModel)}`
  if (facts.endpoint !== '') line += `,"endpoint":${quote(facts.endpoint)},"model":${quote(facts.model)}`
  line += `,"status":${facts.status}`
  if (code !== undefined) line += `,"code":"${code}"`
  if (error !== undefined) line += `,"error":${quote(error)}`
  if (facts.aborted) line += ',"aborted":true'
  line += `,"stream":${facts.stream},"sticky":${facts.sticky},"ms":${round(facts.ended - facts.started)}`
  if (facts.firstByte > 0) line += `,"firstByteMs":${round(facts.firstByte - facts.started)}`
  line += `,"requestBytes":${facts.requestBytes},"responseBytes":${facts.responseBytes}`
  if (finishReason !== undefined) line += `,"finish":${quote(finishReason)}`
  if (usage) line += `,"tokens":${tokens(usage)}`
  line += ',"attempts":['
  for (let i = 0; i < attempts.length; i++) {
    const attempt = attempts[i]
    if (attempt) line += (i > 0 ? ',' : '') + attemptOf(attempt)
  }
  return `${line}]}`
}

function attemptOf(attempt: AttemptFacts): string {
  const { why, endpoint, model, address, status, code, started, firstByte, ended, usage } = attempt
  let text = `{"why":"${why}","endpoint":${quote(endpoint)},"model":${quote(model)},"address":${quote(address)}`
  text += `,"status":${status}`
  if (code !== undefined) text += `,"code":"${code}"`
  text += `,"ms":${round(ended - started)}`
  if (firstByte > 0) text += `,"firstByteMs":${round(firstByte - started)}`
  if (usage) text += `,"tokens":${tokens(usage)}`
  return `${text}}`
}

function tokens({ input, output, cached, reasoning, estimated }: Usage): string {
  const text = `{"input":${input},"output":${output},"cached":${cached},"reasoning":${reasoning}`
  return `${text}${estimated ? ',"estimated":true' : ''}}`
}

/** Microseconds are enough. */
const round = (ms: number): number => Math.round(ms * 1000) / 1000

/** Printable ASCII without quote and backslash: nearly all there is. */
const PLAIN = /^[ !#-[\]-~]*$/

const quote = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text))
