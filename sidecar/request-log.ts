import { totalCost, usd } from '../core/cost.ts'
import type { AttemptFacts, Facts } from '../core/exchange.ts'
import type { Usage } from '../core/usage.ts'

/**
 * The one line of a request, as JSON, or of a call that was made of it for a mirror. Put together by hand: it is the hot path's largest single cost, and `JSON.stringify` of an object
 * doubles that. No header and no body is ever part of it; `error` may quote what a
 * target said of its failure, without the credential that it was sent.
 */
export function requestLine(
  facts: Facts,
  level: 'info' | 'warn',
  trace: string | undefined,
  msg: 'request' | 'mirror' = 'request',
): string {
  const { attempts, code, error, usage, finishReason } = facts
  let line = `{"time":${facts.wall},"level":"${level}","msg":"${msg}","id":${quote(facts.requestId)}`
  if (trace !== undefined) line += `,"trace":"${trace}"`
  line += `,"surface":"${facts.surface}","method":${quote(facts.method)},"path":${quote(facts.path)}`
  if (facts.route !== '') line += `,"route":${known(facts.route)},"rule":${known(facts.rule)}`
  if (facts.requestedModel !== '') line += `,"requested":${quote(facts.requestedModel)}`
  if (facts.endpoint !== '') line += `,"endpoint":${known(facts.endpoint)},"model":${quote(facts.model)}`
  if (facts.dropped.length > 0) line += `,"dropped":${JSON.stringify(facts.dropped)}`
  line += `,"status":${facts.status}`
  if (code !== undefined) line += `,"code":"${code}"`
  if (error !== undefined) line += `,"error":${quote(error)}`
  if (facts.aborted) line += ',"aborted":true'
  if (facts.rescue !== undefined) line += `,"rescue":"${facts.rescue}"`
  if (facts.experiment !== undefined) line += `,"experiment":"${facts.experiment}"`
  if (facts.gate) line += `,"gate":${JSON.stringify(facts.gate)}`
  line += `,"stream":${facts.stream},"sticky":${facts.sticky},"ms":${round(facts.ended - facts.started)}`
  if (facts.firstByte > 0) line += `,"firstByteMs":${round(facts.firstByte - facts.started)}`
  line += `,"requestBytes":${facts.requestBytes},"responseBytes":${facts.responseBytes}`
  if (finishReason !== undefined) line += `,"finish":${quote(finishReason)}`
  if (usage) line += `,"tokens":${tokens(usage)}`
  const cost = totalCost(attempts)
  if (cost !== undefined) line += `,"cost":${usd(cost)}`
  line += ',"attempts":['
  for (let i = 0; i < attempts.length; i++) {
    const attempt = attempts[i]
    if (attempt) line += (i > 0 ? ',' : '') + attemptOf(attempt)
  }
  return `${line}]}`
}

function attemptOf(attempt: AttemptFacts): string {
  const { why, endpoint, model, address, status, code, started, firstByte, ended, usage, cost, injected } = attempt
  let text = `{"why":"${why}","endpoint":${known(endpoint)},"model":${known(model)},"address":${known(address)}`
  text += `,"status":${status}`
  if (code !== undefined) text += `,"code":"${code}"`
  if (injected) text += `,"injected":${JSON.stringify(injected)}`
  text += `,"ms":${round(ended - started)}`
  if (firstByte > 0) text += `,"firstByteMs":${round(firstByte - started)}`
  if (usage) text += `,"tokens":${tokens(usage)}`
  if (cost !== undefined) text += `,"cost":${usd(cost)}`
  return `${text}}`
}

function tokens(usage: Usage): string {
  const { input, output, cached, reasoning, cacheWrite, cacheWrite1h, audioInput, audioOutput, imageInput } = usage
  let text = `{"input":${input},"output":${output},"cached":${cached},"reasoning":${reasoning}`
  // Few requests have any of these.
  if (cacheWrite > 0) text += `,"cacheWrite":${cacheWrite}`
  if (cacheWrite1h > 0) text += `,"cacheWrite1h":${cacheWrite1h}`
  if (audioInput > 0) text += `,"audioInput":${audioInput}`
  if (audioOutput > 0) text += `,"audioOutput":${audioOutput}`
  if (imageInput > 0) text += `,"imageInput":${imageInput}`
  if (usage.imageOutput) text += `,"imageOutput":${usage.imageOutput}`
  if (usage.units !== undefined) text += `,"units":${usage.units}`
  return `${text}${usage.estimated ? ',"estimated":true' : ''}}`
}

/** Milliseconds to the microsecond: numbers with a fraction are put into words faster by hand. */
function round(ms: number): string {
  const microseconds = Math.max(0, Math.round(ms * 1000))
  const whole = Math.floor(microseconds / 1000)
  const rest = microseconds - whole * 1000
  return rest === 0 ? `${whole}` : `${whole}.${rest < 10 ? '00' : rest < 100 ? '0' : ''}${rest}`
}

/** Printable ASCII without quote and backslash: nearly all there is. */
const PLAIN = /^[ !#-[\]-~]*$/

const quote = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text))

const quoted = new Map<string, string>()

/** The same for what comes from the configuration, which is little and comes with each request. */
function known(text: string): string {
  let found = quoted.get(text)
  if (found === undefined) {
    found = quote(text)
    // A configuration that changes all the time must not fill the memory.
    if (quoted.size >= 10_000) quoted.clear()
    quoted.set(text, found)
  }
  return found
}
