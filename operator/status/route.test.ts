import assert from 'node:assert/strict'
import test from 'node:test'
import type { CompiledRule, CompiledTarget } from '../../api/compiled.ts'
import { split } from './route.ts'

const target = (endpoint: string, weight: number, rest: Partial<CompiledTarget> = {}): CompiledTarget => ({
  endpoint,
  model: 'm',
  weight,
  priority: 0,
  ...rest,
})
const rule = (targets: readonly CompiledTarget[], rest: Partial<CompiledRule> = {}): CompiledRule => ({
  name: 'r',
  matches: [],
  targets,
  strategy: { type: 'Weighted' },
  retry: { attempts: 0, when: [] },
  fallback: { when: [] },
  onUnavailable: 'Redistribute',
  ...rest,
})
const gone = { unavailable: { reason: 'EndpointNotFound', message: 'gone' } }

const cases: readonly [title: string, rule: CompiledRule, split: string][] = [
  ['ratios as percentages', rule([target('ns/a', 9), target('ns/b', 1)]), '90% a · 10% b'],
  ['thirds', rule([target('ns/a', 1), target('ns/b', 2)]), '33.3% a · 66.7% b'],
  ['another namespace by its name', rule([target('other/a', 1)]), '100% other/a'],
  [
    'one endpoint twice by its models',
    rule([target('ns/a', 1), target('ns/a', 1, { model: 'n' })]),
    '50% a/m · 50% a/n',
  ],
  ['no traffic, no mention', rule([target('ns/a', 1), target('ns/b', 0)]), '100% a'],
  ['the first priority only', rule([target('ns/b', 1, { priority: 2 }), target('ns/a', 1, { priority: 1 })]), '100% a'],
  ['the share of what is gone goes to the others', rule([target('ns/a', 1), target('ns/b', 1, gone)]), '100% a'],
  [
    'or fails',
    rule([target('ns/a', 1), target('ns/b', 1, gone)], { onUnavailable: 'Fail' }),
    '50% a · 50% b (unavailable)',
  ],
  ['nobody', rule([target('ns/a', 0)]), 'none'],
  [
    'least latency has no shares',
    rule([target('ns/a', 9), target('ns/b', 1)], { strategy: { type: 'LeastLatency' } }),
    'fastest of a · b',
  ],
  [
    'nor has least cost',
    rule([target('ns/a', 9), target('ns/b', 1)], { strategy: { type: 'LeastCost' } }),
    'cheapest of a · b',
  ],
]
for (const [title, given, expected] of cases) test(`split: ${title}`, () => assert.equal(split(given, 'ns'), expected))
