import type { Operation } from '../core/surfaces/surface.ts'
import type { Model } from '../core/target.ts'
import type { ArtefactView, PromiseView } from './artefacts.ts'
import type { Gauges } from './gauges.ts'
import type { Histogram } from './histogram.ts'
import type { TargetCounts } from './metrics.ts'
import { LABEL, METRIC, OPERATION } from './names.ts'

type Labels = Readonly<Record<string, string>>

/** One line of the text, under the family's name unless it has its own. */
export interface Value {
  readonly metricName?: string
  readonly labels: Labels
  readonly value: number
}

interface Family<Args extends readonly unknown[]> {
  readonly name: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  readonly values: (...args: Args) => Value[]
}

/** Metrics of what was counted on the request path, for each target of a rule. */
export const counted: readonly Family<[TargetCounts, Gauges]>[] = [
  {
    name: METRIC.requests,
    type: 'counter',
    help: 'Answers to callers.',
    values: (counts) =>
      counts.answers.map(({ operation, status, code, stream, count }) => ({
        labels: {
          ...target(counts),
          [LABEL.operation]: OPERATION[operation],
          [LABEL.status]: String(status),
          [LABEL.code]: code ?? '',
          [LABEL.stream]: String(stream),
        },
        value: count,
      })),
  },
  {
    name: METRIC.attempts,
    type: 'counter',
    help: 'Calls of targets, by why each was made and what came of it.',
    values: (counts) =>
      counts.tried.map(({ why, code, count }) => ({
        labels: { ...target(counts), [LABEL.why]: why, [LABEL.code]: code ?? '' },
        value: count,
      })),
  },
  {
    name: METRIC.retries,
    type: 'counter',
    help: 'Calls of a target that had failed the same request before.',
    values: (counts) => because(counts, 'retry'),
  },
  {
    name: METRIC.fallbacks,
    type: 'counter',
    help: 'Calls of a target because another had failed the request.',
    values: (counts) => because(counts, 'fallback'),
  },
  {
    name: METRIC.rescues,
    type: 'counter',
    help: 'Streamed answers that stopped after their first byte, by what became of them: another target went on, or gave the same again.',
    values: (counts) =>
      Object.entries(counts.rescues).flatMap(([outcome, value]) =>
        value > 0 ? [{ labels: { ...target(counts), [LABEL.outcome]: outcome }, value }] : [],
      ),
  },
  {
    name: METRIC.feedback,
    type: 'counter',
    help: 'What callers said of answers; without labels where the answer is not known here.',
    values: (counts) =>
      Object.entries(counts.feedback).flatMap(([verdict, value]) =>
        value > 0 ? [{ labels: { ...target(counts), [LABEL.verdict]: verdict }, value }] : [],
      ),
  },
  {
    name: METRIC.audits,
    type: 'counter',
    help: 'Answers that were drawn to be compared with another model’s, by why (it stays cheap, it is novel) and what came of it.',
    values: (counts) =>
      counts.audited.map(({ kind, outcome, count }) => ({
        labels: { ...target(counts), [LABEL.kind]: kind, [LABEL.outcome]: outcome },
        value: count,
      })),
  },
  {
    name: METRIC.auditAlarms,
    type: 'counter',
    help: 'How often audits have shown that answers lose more than was promised, and the threshold has stepped back.',
    values: (counts) => (counts.alarms > 0 ? [{ labels: target(counts), value: counts.alarms }] : []),
  },
  {
    name: METRIC.faultsInjected,
    type: 'counter',
    help: 'Failures that were injected into calls on purpose, by type.',
    values: (counts) =>
      [...counts.injected].map(([type, value]) => ({ labels: { ...target(counts), [LABEL.type]: type }, value })),
  },
  {
    name: METRIC.mirrored,
    type: 'counter',
    help: 'Requests that were drawn to be sent to the target as a candidate, by what came of them: it answered or failed, or why it was not asked.',
    values: (counts) =>
      [...counts.mirrored].map(([outcome, value]) => ({
        labels: { ...target(counts), [LABEL.outcome]: outcome },
        value,
      })),
  },
  {
    name: METRIC.mirrorAgreement,
    type: 'counter',
    help: 'Answers of the target as a candidate that could be compared with the caller’s, by whether both come to the same.',
    values: (counts) =>
      Object.entries(counts.agreed).flatMap(([which, value]) =>
        value > 0 ? [{ labels: { ...target(counts), [LABEL.alike]: String(which === 'same') }, value }] : [],
      ),
  },
  {
    name: METRIC.mirrorSpent,
    type: 'counter',
    help: 'What mirroring to the target has cost at most, judge included, in USD: calls that did not say what they used count in full.',
    values: (counts) => (counts.mirrorSpent > 0 ? [{ labels: target(counts), value: counts.mirrorSpent / 1e12 }] : []),
  },
  {
    name: METRIC.gatedRequests,
    type: 'counter',
    help: 'Answers of rules with a gate, by why they were the ones to be given, and why the cheap target was left out, where it was.',
    values: (counts) =>
      counts.gated.map(({ reason, direct, count }) => ({
        labels: { ...target(counts), [LABEL.reason]: reason, [LABEL.direct]: direct ?? '' },
        value: count,
      })),
  },
  {
    name: METRIC.gatedAnswers,
    type: 'counter',
    help: 'Answers that a gate looked at, by the check that found them wanting; empty: none did.',
    values: (counts) =>
      counts.examined.map(({ check, count }) => ({
        labels: { ...target(counts), [LABEL.check]: check ?? '' },
        value: count,
      })),
  },
  {
    name: METRIC.escalations,
    type: 'counter',
    help: 'Answers that were found wanting and for which a stronger target was asked, by the check.',
    values: (counts) =>
      counts.examined.flatMap(({ check, escalated }) =>
        escalated > 0 ? [{ labels: { ...target(counts), [LABEL.check]: check ?? '' }, value: escalated }] : [],
      ),
  },
  {
    name: METRIC.tokens,
    type: 'counter',
    help: 'Tokens as providers report them; cached, written to the cache, audio and images are part of input, reasoning of output.',
    values: (counts) =>
      Object.entries(counts.tokens).flatMap(([kind, value]) =>
        value > 0 ? [{ labels: { ...target(counts), [LABEL.kind]: kind }, value }] : [],
      ),
  },
  {
    name: METRIC.wasted,
    type: 'counter',
    help: 'Tokens of calls that were ended since another answer was given: they lost a race, or were escalated while they still came.',
    values: (counts) =>
      Object.entries(counts.wasted).flatMap(([kind, value]) =>
        value > 0 ? [{ labels: { ...target(counts), [LABEL.kind]: kind }, value }] : [],
      ),
  },
  {
    name: METRIC.cost,
    type: 'counter',
    help: 'What the calls cost, in USD, by the prices of the endpoint or the price table.',
    values: (counts) => (counts.cost > 0 ? [{ labels: target(counts), value: counts.cost / 1e12 }] : []),
  },
  {
    name: METRIC.unpriced,
    type: 'counter',
    help: 'Calls that used tokens of which no price is known: what they cost is nowhere counted.',
    values: (counts) => (counts.unpriced > 0 ? [{ labels: target(counts), value: counts.unpriced }] : []),
  },
  {
    name: METRIC.duration,
    type: 'histogram',
    help: 'Seconds from a request to the end of its answer.',
    values: (counts, gauges) =>
      counts.durations.flatMap(({ operation, code, seconds }) =>
        lines(METRIC.duration, { ...genAi(counts, gauges, operation), [LABEL.errorType]: code ?? '' }, seconds),
      ),
  },
  {
    name: METRIC.tokenUsage,
    type: 'histogram',
    help: 'Tokens of one call.',
    values: (counts, gauges) =>
      counts.generations.flatMap(({ operation, input, output }) => {
        const labels = genAi(counts, gauges, operation)
        return [
          ...lines(METRIC.tokenUsage, { ...labels, [LABEL.tokenType]: 'input' }, input),
          ...lines(METRIC.tokenUsage, { ...labels, [LABEL.tokenType]: 'output' }, output),
        ]
      }),
  },
  {
    name: METRIC.timeToFirstToken,
    type: 'histogram',
    help: 'Seconds from a streamed call to the first event of its answer.',
    values: (counts, gauges) =>
      counts.generations.flatMap(({ operation, firstToken }) =>
        lines(METRIC.timeToFirstToken, genAi(counts, gauges, operation), firstToken),
      ),
  },
  {
    name: METRIC.timePerOutputToken,
    type: 'histogram',
    help: 'Seconds for each token of a streamed answer after the first.',
    values: (counts, gauges) =>
      counts.generations.flatMap(({ operation, perToken }) =>
        lines(METRIC.timePerOutputToken, genAi(counts, gauges, operation), perToken),
      ),
  },
]

const STATES = ['closed', 'open', 'half-open', 'ramp'] as const

/** Metrics of how things stand. */
export const measured: readonly Family<[Gauges]>[] = [
  {
    name: METRIC.breakerState,
    type: 'gauge',
    help: '1 for the state that the circuit breaker is in.',
    values: (gauges) =>
      models(gauges, ({ state }, labels) => {
        const now = state.breaker.state
        return STATES.map((it) => ({ labels: { ...labels, [LABEL.state]: it }, value: it === now ? 1 : 0 }))
      }),
  },
  {
    name: METRIC.latency,
    type: 'gauge',
    help: 'Peak-EWMA seconds to the first token, or to the whole answer, as targets are compared by.',
    values: (gauges) => models(gauges, ({ state }, labels) => [{ labels, value: state.ewma.latency() / 1000 }]),
  },
  {
    name: METRIC.rateLimit,
    type: 'gauge',
    help: 'What is left of a rate limit of the provider, 0 to 1, as its answers tell; of the account where the model is empty.',
    values: ({ endpoints }) =>
      [...endpoints.values()].flatMap(({ name, limits, models: all }) =>
        [
          { name: '', limits },
          ...[...all.values()].map((model) => ({ name: model.name, limits: model.state.limits })),
        ].flatMap((it) =>
          [...it.limits.remaining()].map(([kind, value]) => ({
            labels: { [LABEL.endpoint]: name, [LABEL.model]: it.name, [LABEL.kind]: kind },
            value,
          })),
        ),
      ),
  },
  {
    name: METRIC.addresses,
    type: 'gauge',
    help: 'Addresses of the endpoint, by what active checks find.',
    values: ({ endpoints }) =>
      [...endpoints.values()].flatMap(({ name, addresses }) => {
        const healthy = addresses.filter((address) => address.healthy).length
        return [
          { labels: { [LABEL.endpoint]: name, [LABEL.state]: 'healthy' }, value: healthy },
          { labels: { [LABEL.endpoint]: name, [LABEL.state]: 'unhealthy' }, value: addresses.length - healthy },
        ]
      }),
  },
  {
    name: METRIC.inFlight,
    type: 'gauge',
    help: 'Calls in flight.',
    values: ({ endpoints }) =>
      [...endpoints.values()].map(({ name, load }) => ({ labels: { [LABEL.endpoint]: name }, value: load.inFlight })),
  },
  {
    name: METRIC.configInfo,
    type: 'gauge',
    help: '1, with the digest of the configuration in force.',
    values: ({ digest }) => [{ labels: { [LABEL.digest]: digest }, value: 1 }],
  },
  {
    name: METRIC.configAge,
    type: 'gauge',
    help: 'Seconds since the configuration in force came into force.',
    values: ({ age }) => (age === undefined ? [] : [{ labels: {}, value: age / 1000 }]),
  },
  {
    name: METRIC.routeGeneration,
    type: 'gauge',
    help: 'The generation of each route in force.',
    values: ({ routes }) => [...routes].map(([route, value]) => ({ labels: { [LABEL.route]: route }, value })),
  },
  {
    name: METRIC.artefactInfo,
    type: 'gauge',
    help: '1 for each artefact that a route decides by, with its hash and whether it serves: loaded, alarmed (a promise was taken back), expired or unusable.',
    values: ({ artefacts }) =>
      artefacts.map(({ name, hash = '', state }) => ({
        labels: { [LABEL.artefact]: name, [LABEL.digest]: hash, [LABEL.state]: state },
        value: 1,
      })),
  },
  {
    name: METRIC.artefactExpiry,
    type: 'gauge',
    help: 'When the first certificate of the artefact ends, in seconds since 1970.',
    values: ({ artefacts }) =>
      artefacts.flatMap(({ name, expires }) =>
        expires === undefined ? [] : [{ labels: { [LABEL.artefact]: name }, value: Date.parse(expires) / 1000 }],
      ),
  },
  {
    name: METRIC.promiseThreshold,
    type: 'gauge',
    help: 'The score from which requests of the segment stay cheap; +Inf: none does.',
    values: ({ artefacts }) => promises(artefacts, ({ threshold }) => threshold ?? Number.POSITIVE_INFINITY),
  },
  {
    name: METRIC.promiseEvidence,
    type: 'gauge',
    help: 'What audits say against the promise: 1 is nothing, 20 takes it back.',
    values: ({ artefacts }) => promises(artefacts, ({ evidence }) => evidence),
  },
  {
    name: METRIC.stability,
    type: 'gauge',
    help: 'How far prompts and scores of the last 200 requests are from those that were certified: above 0.2 nothing stays cheap.',
    values: ({ artefacts }) =>
      artefacts.flatMap(({ name, psi, promises: made }) => [
        ...(psi === undefined
          ? []
          : [{ labels: { [LABEL.artefact]: name, [LABEL.of]: 'prompts', [LABEL.segment]: '' }, value: psi }]),
        ...made.map((it) => ({
          labels: { [LABEL.artefact]: name, [LABEL.of]: 'scores', [LABEL.segment]: it.segment },
          value: it.psi,
        })),
      ]),
  },
  {
    name: METRIC.faultsActive,
    type: 'gauge',
    help: 'Faults of the configuration that are injected at the moment; 0 for those that have ended.',
    values: ({ faults }) =>
      [...Map.groupBy(faults, ({ route, rule, type }) => JSON.stringify([route, rule, type])).values()].map(
        (alike) => ({
          labels: {
            [LABEL.route]: alike[0]?.route ?? '',
            [LABEL.rule]: alike[0]?.rule ?? '',
            [LABEL.type]: alike[0]?.type ?? '',
          },
          value: alike.filter(({ active }) => active).length,
        }),
      ),
  },
  {
    name: METRIC.connected,
    type: 'gauge',
    help: '1 while the operator is connected.',
    values: ({ connected }) => [{ labels: {}, value: connected ? 1 : 0 }],
  },
  {
    name: METRIC.linesDropped,
    type: 'counter',
    help: 'Log lines that nobody read in time.',
    values: ({ linesDropped }) => [{ labels: {}, value: linesDropped }],
  },
  {
    name: METRIC.decisionsDropped,
    type: 'counter',
    help: 'Lines of the decision log that could not be written in time, or not at all.',
    values: ({ decisionsDropped }) =>
      [...decisionsDropped].map(([destination, value]) => ({ labels: { [LABEL.destination]: destination }, value })),
  },
]

const target = ({ route, rule, endpoint, model }: TargetCounts): Labels => ({
  [LABEL.route]: route,
  [LABEL.rule]: rule,
  [LABEL.endpoint]: endpoint,
  [LABEL.model]: model,
})

/** The labels of the semantic conventions, and whose they are. */
function genAi(counts: TargetCounts, { endpoints }: Gauges, operation: Operation): Labels {
  const provider = endpoints.get(counts.endpoint)?.provider.genAi ?? ''
  const { [LABEL.model]: model = '', ...place } = target(counts)
  return {
    ...place,
    [LABEL.operation]: OPERATION[operation],
    [LABEL.provider]: provider,
    [LABEL.requestModel]: model,
  }
}

function promises(artefacts: readonly ArtefactView[], of: (promise: PromiseView) => number): Value[] {
  return artefacts.flatMap(({ name, promises: made }) =>
    made.map((it) => ({ labels: { [LABEL.artefact]: name, [LABEL.segment]: it.segment }, value: of(it) })),
  )
}

function because(counts: TargetCounts, why: string): Value[] {
  const value = counts.tried.reduce((sum, tried) => sum + (tried.why === why ? tried.count : 0), 0)
  return value > 0 ? [{ labels: target(counts), value }] : []
}

function models({ endpoints }: Gauges, values: (model: Model, labels: Labels) => Value[]): Value[] {
  return [...endpoints.values()].flatMap((endpoint) =>
    [...endpoint.models.values()].flatMap((model) =>
      values(model, { [LABEL.endpoint]: endpoint.name, [LABEL.model]: model.name }),
    ),
  )
}

/** A histogram's lines, cumulative as the format has them; none for one that is empty. */
function lines(name: string, labels: Labels, { bounds, counts, sum }: Histogram): Value[] {
  let count = 0
  const buckets = [...counts].map((inBucket, i) => {
    count += inBucket
    return { metricName: `${name}_bucket`, labels: { ...labels, le: String(bounds[i] ?? '+Inf') }, value: count }
  })
  if (count === 0) return []
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
