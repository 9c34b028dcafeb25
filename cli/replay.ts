import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { usd } from '../core/cost.ts'
import { putOff, replayed } from '../core/decisions/replayed.ts'
import type { Replayed, ReplayedTarget } from '../core/decisions/replayed.ts'
import { readLine } from '../core/decisions/line.ts'
import type { DecisionLine } from '../core/decisions/line.ts'
import { askAdmin } from './ask.ts'
import { EXIT, Failure } from './failure.ts'
import { columns, paint, print } from './output.ts'
import type { Output } from './output.ts'

/** Makes one decision again, and says what it followed from. The exit code says whether the choice is the same. */
export async function replayDecision(
  id: string,
  log: string | undefined,
  admin: string,
  output: Output,
): Promise<void> {
  const line = log === undefined ? await ask(admin, id) : await find(log, id)
  const { decision, ...rest } = line
  if (!decision) {
    print(rest, output, () => `${story(line)}It was not recorded what the choice followed from.\n`)
    process.exitCode = EXIT.problem
    return
  }
  const again = replayed(decision)
  print({ ...rest, replay: again }, output, () => `${story(line)}${table(again)}\n${verdict(again)}`)
  if (!again.exact) process.exitCode = EXIT.problem
}

async function ask(admin: string, id: string): Promise<DecisionLine> {
  return (await askAdmin(admin, `/decisions?id=${encodeURIComponent(id)}`)) as DecisionLine // what that page answers with 200
}

/** Lines of a decision log; what is none of them, or was cut, is passed over. Throws `Failure` where the file cannot be read. */
export async function* linesOf(file: string): AsyncGenerator<string> {
  const input = createReadStream(file, 'utf8')
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) if (line) yield line
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function find(file: string, id: string): Promise<DecisionLine> {
  let found: DecisionLine | undefined
  for await (const text of linesOf(file)) if (text.includes(id)) found = ofId(text, id) ?? found
  if (!found) throw new Failure(`${file} has no decision about request ${id}.`)
  return found
}

function ofId(text: string, id: string): DecisionLine | undefined {
  try {
    const line = readLine(text)
    return line?.id === id ? line : undefined
  } catch {
    return undefined
  }
}

function story({
  id,
  time,
  route,
  rule,
  generation,
  reason,
  tier,
  task,
  attempts,
  cost,
  saved,
  gate,
  ...line
}: DecisionLine): string {
  const about = [
    tier && `tier ${tier}`,
    task && `task ${task}`,
    line.tokens !== undefined && `about ${line.tokens} tokens`,
    line.decision?.version && `decided by ${line.decision.version.slice(0, 12)}`,
    line.decision?.confidence !== undefined && `confidence ${line.decision.confidence.toFixed(3)}`,
  ].filter(Boolean)
  return [
    `Request ${id} of ${new Date(time).toISOString()}: route ${route}, generation ${generation}, rule ${rule}${about.map((it) => `, ${it}`).join('')}.\n`,
    `Reason ${reason}.\n`,
    ...attempts.map(
      (it, index) =>
        `Attempt ${index + 1}: ${it.target} (${it.why}), ${it.code ?? 'good'}, ${Math.round(it.ms)} ms${it.cost === undefined ? '' : `, ${it.cost} USD`}.\n`,
    ),
    gate ? `The gate: ${gate.reason}, ${gate.escalations} escalations.\n` : '',
    cost === undefined
      ? ''
      : `It cost ${cost} USD${saved === undefined ? '' : saved === 0 ? ', as the strongest target would have' : `, ${saved} less than the strongest target would have`}.\n`,
    '\n',
  ].join('')
}

function table({ targets }: Replayed): string {
  const number = (it: number | undefined, digits: number) => (it === undefined ? '' : it.toFixed(digits))
  const rows = targets.map((it) => [
    it.place === undefined ? '-' : `${it.place}`,
    it.target,
    `${it.priority}`,
    `${it.rank}`,
    number(it.quality, 3),
    it.cost === undefined ? '' : usd(it.cost),
    number(it.latency, 0),
    number(it.score, 4),
    number(it.propensity, 3),
    why(it),
  ])
  return columns([
    ['PLACE', 'TARGET', 'PRIORITY', 'RANK', 'QUALITY', 'USD', 'MS', 'SCORE', 'PROPENSITY', 'WHY'],
    ...rows,
  ])
}

function why(target: ReplayedTarget): string {
  const { out, place } = target
  if (!out) return place === 1 ? 'asked first' : ''
  return putOff(target) ? `after the others: it ${out.detail}` : `out: it ${out.detail}`
}

const verdict = ({ exact, order }: Replayed): string =>
  exact
    ? 'Made again from this, the choice is the same.\n'
    : `${paint('red', 'Made again from this, the choice is another:')} ${order.join(', ')}.\n`
