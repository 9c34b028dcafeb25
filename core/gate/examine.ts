import { checks } from './checks/index.ts'
import type { CheckType } from './checks/index.ts'
import type { Examination, Examined } from './checks/check.ts'
import type { Gate } from './config.ts'
import type { Finding } from './facts.ts'
import type { Ear, Said } from './said.ts'

/** Looks at what was heard of an answer. */
export interface Examiners {
  /** What the cheap ones find, up to the first that fails. `whole`: the answer has ended; else only what a beginning can show is looked for. */
  cheap(ear: Ear, examined: Examined, whole: boolean): Promise<readonly Finding[]>
}

interface Made {
  readonly type: CheckType
  readonly early: boolean
  readonly examine: Examination
}

/** The examiners of a rule. */
export function examiners({ checks: configured, logprobs }: Gate): Examiners {
  const order = Object.keys(checks)
  const made = configured
    .toSorted((a, b) => order.indexOf(a.type) - order.indexOf(b.type))
    .map((config): Made => {
      const check = checks[config.type]
      return { type: config.type, early: check.early, examine: check.make(config) }
    })
  return {
    async cheap(ear, examined, whole) {
      const findings: Finding[] = []
      const { said } = ear
      for (const { type, early, examine } of made) {
        if (!whole && !early) continue
        const detail = await firstOf(said, (one) => examine(one, examined))
        findings.push({ check: type, failed: detail !== undefined, ...(detail === undefined ? {} : { detail }) })
        if (detail !== undefined) return findings
      }
      const sure = logprobs && logprobsOf(said, logprobs)
      if (sure) findings.push(sure)
      return findings
    },
  }
}

/** The first of several answers that is wanting. */
async function firstOf(said: readonly Said[], examine: (one: Said) => ReturnType<Examination>) {
  for (const one of said) {
    const detail = await examine(one)
    if (detail !== undefined) return detail
  }
  return undefined
}

/** Whether the tokens were likely enough to the model itself; undefined where it does not say. */
function logprobsOf(said: readonly Said[], bars: NonNullable<Gate['logprobs']>): Finding | undefined {
  const all = said.flatMap(({ logprobs }) => logprobs)
  if (all.length === 0) return undefined
  let [sum, least] = [0, 0]
  for (const value of all) {
    // JSON has no infinity: providers have −9999 for what is all but impossible.
    sum += Math.max(value, FLOOR)
    least = Math.min(least, value)
  }
  const mean = sum / all.length
  if (bars.least !== undefined && least < bars.least)
    return { check: 'LogProbs', failed: true, detail: 'a token was too unlikely', score: Math.max(least, FLOOR) }
  const failed = bars.mean !== undefined && mean < bars.mean
  return {
    check: 'LogProbs',
    failed,
    ...(failed ? { detail: 'its tokens were too unlikely' } : {}),
    score: mean,
  }
}

const FLOOR = -20
