import { Command, InvalidArgumentError, Option } from 'commander'
import { forecast } from '../../core/rollout/forecast.ts'
import type { Assumed } from '../../core/rollout/forecast.ts'
import { METRICS } from '../../core/statistics/guardrail.ts'
import type { Metric } from '../../core/statistics/guardrail.ts'
import { OVERVIEW_PATH } from '../../operator/overview.ts'
import { Failure } from '../failure.ts'
import { outputOption, print } from '../output.ts'
import type { Output } from '../output.ts'
import { rolloutsAt } from './api.ts'
import { answered } from './ask.ts'
import { placed, target } from './options.ts'
import type { Flags, Target } from './options.ts'
import { planTable } from './plan-table.ts'
import type { Told } from './plan-table.ts'
import { meant, ofFiles, ofManifests } from './planned.ts'
import type { Planned } from './planned.ts'
import { which } from './which.ts'

type Values = Readonly<Record<Metric, number>>

/** Harm that one wants to know of, as margins are said. */
const WORSE: Values = {
  ErrorRate: 0.05,
  Truncations: 0.05,
  Refusals: 0.05,
  Escalations: 0.05,
  Latency: 0.3,
  FirstToken: 0.3,
  Cost: 0.25,
  Quality: 0.05,
}
/** What language models are like. */
const USUAL: Values = {
  ErrorRate: 0.01,
  Truncations: 0.005,
  Refusals: 0.02,
  Escalations: 0.1,
  Latency: 0.5,
  FirstToken: 0.5,
  Cost: 0.9,
  Quality: 0.2,
}

const examples = `
How many requests of each arm it takes, at each step, for a canary that is so much worse to be rolled back, and how many for one that is as
good to be promoted: by a formula, for which the stable targets are taken to be as --usual has it. That is, of ErrorRate, Truncations,
Refusals and Escalations the share of requests; of Latency and FirstToken the standard deviation of the logarithm (0.5: the 95th percentile
is 2.3 times the median); of Cost and Quality the standard deviation, of Cost as a part of the mean. Shares that a rollout under way has
seen are taken from there, and the rate from there or from the last seconds of the route. docs/statistics.md says what the tests are.

Examples:
  tradewind rollout plan chat -n ai
  tradewind rollout plan -f routes/ --rate 12
  tradewind rollout plan -f chat.yaml --rate 0.5 --worse ErrorRate=0.1 --usual Latency=0.8 -o json`

interface PlanFlags extends Flags {
  readonly file?: readonly string[]
  readonly rate?: number
  readonly power: number
  readonly worse: Partial<Values>
  readonly usual: Partial<Values>
  readonly output: Output
}

/** The command `tradewind rollout plan`. */
export function planCommand(): Command {
  return placed(new Command('plan'))
    .description('say how many requests, and how long, it takes to see harm and to promote')
    .argument('[route]', 'a route, ROUTE or NAMESPACE/ROUTE; left out: all')
    .option('--rule <name>', 'only this rule of it')
    .addOption(
      new Option(
        '-f, --file <path>',
        'of these manifests and not of the cluster; may be given several times, - for standard input',
      )
        .argParser((path: string, before: readonly string[] | undefined) => [...(before ?? []), path])
        .conflicts(['admin', 'kubeconfig', 'context', 'operatorNamespace', 'operator']),
    )
    .addOption(
      new Option('--rate <requests>', 'requests a second of the rule (default: as observed)').argParser(positive),
    )
    .addOption(new Option('--power <chance>', 'how likely harm is to be found by then').argParser(chance).default(0.8))
    .addOption(sizes('--worse <metric=size>', 'how much worse a canary is, as margins are said', WORSE))
    .addOption(sizes('--usual <metric=value>', 'what the stable targets are like', USUAL))
    .addOption(outputOption())
    .addHelpText('after', examples)
    .action(plan)
}

async function plan(route: string | undefined, { file, output, ...flags }: PlanFlags): Promise<void> {
  const { rate, power, worse, usual } = flags
  const told =
    file === undefined
      ? await ofCluster(route, flags)
      : meant(await ofFiles(file), which(route, flags)).map((it) => ({ it, seen: {}, observed: undefined }))
  const plans = told.map(({ it: { course, ...it }, seen, observed }): Told => {
    const pace = rate ?? observed
    return {
      ...it,
      alpha: course.alpha,
      power,
      ...(pace === undefined ? {} : { rate: pace, rateFrom: rate === undefined ? 'observed' : 'given' }),
      ...forecast(course, {
        rate: pace,
        power,
        worse: { ...WORSE, ...worse },
        usual: { ...USUAL, ...seen, ...usual },
      } satisfies Assumed),
    }
  })
  print({ plans }, output, () => plans.map(planTable).join('\n'))
}

interface Seen {
  readonly it: Planned
  readonly seen: Partial<Values>
  readonly observed: number | undefined
}

/** Routes and what was observed of them. */
async function ofCluster(route: string | undefined, flags: Flags): Promise<readonly Seen[]> {
  const at = await target(route, flags)
  if (!at.cluster) throw new Failure('A local run does not tell its routes: say by --file where they are.')
  const planned = meant(ofManifests(await at.cluster.routes(), 'the cluster', true), at.wanted)
  const rollouts = await rolloutsAt(at.ask, at.wanted.namespace).catch(quiet([]))
  return Promise.all(
    planned.map(async (it) => {
      const view = rollouts.find((one) => one.route === it.route && one.rule === it.rule)
      const under = view?.phase === 'Progressing' || view?.phase === 'Paused' ? view : undefined
      const seen = (under?.guardrails ?? []).flatMap(({ metric, stable, counts }) =>
        SHARES.has(metric) && stable !== undefined && counts.stable >= ENOUGH
          ? [[metric, Number(stable)] as const]
          : [],
      )
      const requests = (under?.samples.canary ?? 0) + (under?.samples.stable ?? 0)
      const seconds = under ? (Date.now() - Date.parse(under.stepSince)) / 1000 : 0
      const observed = requests >= ENOUGH && seconds > 0 ? requests / seconds : await rateOf(at, it.route)
      return { it, seen: Object.fromEntries(seen), observed }
    }),
  )
}

/** Those whose usual value is what a guardrail shows of the stable targets. */
const SHARES: ReadonlySet<string> = new Set<Metric>(['ErrorRate', 'Truncations', 'Refusals', 'Escalations'])
/** Requests from which on what was observed says more than what is usual. */
const ENOUGH = 200

/** Of all rules of a route in the last seconds, as the operator has it; undefined where there were no requests, or it cannot be asked. */
async function rateOf({ ask }: Target, route: string): Promise<number | undefined> {
  const [namespace = ''] = route.split('/')
  const query = new URLSearchParams({ namespace, route })
  const detail = await answered(ask(`${OVERVIEW_PATH}?${query.toString()}`)).catch(quiet({}))
  const { rate } = detail as { rate?: { requests: number } } // RouteDetail, answered with 200; or nothing
  return rate && rate.requests > 0 ? rate.requests : undefined
}

/** What cannot be observed is not known, and that is said; what is planned is known all the same. */
const quiet =
  <T>(instead: T) =>
  (error: unknown): T => {
    process.stderr.write(`note: nothing was observed: ${error instanceof Error ? error.message : String(error)}\n`)
    return instead
  }

function sizes(flags: string, description: string, usual: Values): Option {
  const list = METRICS.map((metric) => `${metric}=${usual[metric]}`).join(' ')
  return new Option(flags, `${description}; may be given several times (default: ${list})`)
    .argParser((text: string, before: Partial<Values>): Partial<Values> => {
      const [, name, size] = /^([A-Za-z]+)=([0-9.]+)$/.exec(text) ?? []
      const metric = METRICS.find((it) => it === name)
      const value = Number(size)
      if (metric === undefined || !(value > 0))
        throw new InvalidArgumentError('It must be like ErrorRate=0.05, above 0.')
      return { ...before, [metric]: value }
    })
    .default({}, '')
}

function positive(text: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}

function chance(text: string): number {
  const value = Number(text)
  if (!(value >= 0.5 && value < 1)) throw new InvalidArgumentError('It must be at least 0.5, and below 1.')
  return value
}
