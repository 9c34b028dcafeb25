/** @import { Rollout } from '../store.js' */
import { evidenceBar, interval, stepBar } from '../chart.js'
import { h } from '../dom.js'
import { NONE, count, counted, evidence, signed, span } from '../format.js'
import { measured, words } from '../metrics.js'
import { badge, link, phaseBadge } from '../parts.js'

/** What each verb does, said before it is done; and in which phases there is a sense in it. */
export const VERBS = /** @type {const} */ ({
  pause: {
    title: 'Pause',
    phases: ['Pending', 'Progressing'],
    does: 'The canary keeps the share that it has until somebody resumes. Guardrails still roll it back.',
  },
  resume: {
    title: 'Resume',
    phases: ['Paused'],
    does: 'The rollout goes on from the step where it is, with new evidence; a manual gate is passed.',
  },
  promote: {
    title: 'Promote',
    phases: ['Pending', 'Progressing', 'Paused'],
    does: 'All requests go to the canary at once, whatever evidence is still missing.',
  },
  abort: {
    title: 'Abort',
    phases: ['Pending', 'Progressing', 'Paused', 'Promoted'],
    does: 'The canary gets no more requests, not even when another target fails.',
  },
  retry: {
    title: 'Retry',
    phases: ['RolledBack'],
    does: 'The rollout begins anew at its first step, without waiting for the cooldown.',
  },
})
/** @typedef {keyof typeof VERBS} Verb */

/**
 * One rollout with its evidence.
 * @param {Rollout} rollout
 * @param {(rollout: Rollout, verb: Verb) => void} act
 * @param {{ linked?: boolean }} [options] `linked`: with a link to its route
 */
export function rolloutCard(rollout, act, { linked = false } = {}) {
  const {
    route,
    rule,
    phase,
    message,
    canary,
    step,
    steps,
    weight,
    samples,
    harmed,
    waiting,
    waitsFor = [],
    by,
  } = rollout
  const verbs = /** @type {Verb[]} */ (Object.keys(VERBS)).filter((verb) =>
    /** @type {readonly string[]} */ (VERBS[verb].phases).includes(phase),
  )
  const id = `rollout-${route}-${rule}`.replace(/[^a-z0-9-]/gi, '-')
  return h(
    'section',
    { class: 'card rollout', 'aria-labelledby': id },
    h(
      'div',
      { class: 'card-head' },
      h('h2', { id }, linked ? link('routes', route) : 'Rollout', h('span', { class: 'faint' }, ` rule ${rule}`)),
      phaseBadge(phase),
      h('span', { class: 'grow' }),
      ...verbs.map((verb) =>
        h(
          'button',
          {
            type: 'button',
            class: verb === 'abort' ? 'danger' : verb === 'promote' ? 'primary' : '',
            'data-verb': verb,
            onclick: () => act(rollout, verb),
          },
          VERBS[verb].title,
        ),
      ),
    ),
    h('p', { class: 'message' }, message),
    h(
      'div',
      { class: 'progress' },
      stepBar(rollout),
      h('span', {}, `step ${Math.min(step + 1, steps)} of ${steps}, `, h('strong', {}, `${weight} %`), ` to ${canary}`),
    ),
    waiting > 0 &&
      h(
        'p',
        { class: 'waits' },
        `Waits for ${counted(waiting, 'sidecar')} to acknowledge: ${waitsFor.join(', ')}${waiting > waitsFor.length ? ', …' : ''}.`,
      ),
    h(
      'dl',
      { class: 'facts' },
      fact('Samples, canary', count(samples.canary)),
      fact('Samples, stable', count(samples.stable)),
      fact('Harmed', count(harmed)),
      fact('At this step', since(rollout.stepSince)),
      fact('Started', rollout.started ? since(rollout.started) : NONE),
      by !== undefined && fact('Last hand', by),
    ),
    rollout.guardrails.length > 0 && guardrails(rollout),
  )
}

const NUMBERS = ['Canary', 'Stable', 'Measured']

/** @param {Rollout} rollout */
function guardrails({ guardrails, route, rule }) {
  return h(
    'div',
    { class: 'scroll', tabIndex: 0, role: 'region', 'aria-label': `Evidence for ${route}, rule ${rule}` },
    h(
      'table',
      { class: 'plain-table' },
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          ...['Guardrail', 'Canary', 'Stable', 'Difference and margin', 'Evidence of harm', 'Measured', 'Shown'].map(
            (it) => h('th', { scope: 'col', class: NUMBERS.includes(it) ? 'number' : '' }, it),
          ),
        ),
      ),
      h(
        'tbody',
        {},
        ...guardrails.map(({ metric, margin, evidence: value, needs, canary, stable, lower, upper, counts: n }) =>
          h(
            'tr',
            {},
            h('th', { scope: 'row' }, words(metric)),
            h('td', { class: 'number' }, measured(metric, canary)),
            h('td', { class: 'number' }, measured(metric, stable)),
            h(
              'td',
              {},
              interval(number(lower), number(upper), Number(margin), metric === 'Quality'),
              h('span', { class: 'small faint' }, range(metric, lower, upper, margin)),
            ),
            h(
              'td',
              {},
              evidenceBar(Number(value), Number(needs)),
              h('span', { class: 'small faint' }, `${evidence(Number(value))} of ${evidence(Number(needs))}`),
            ),
            h('td', { class: 'number' }, `${count(n.canary)} / ${count(n.stable)}`),
            h('td', {}, shown(metric, Number(margin), Number(value) >= Number(needs), number(lower), number(upper))),
          ),
        ),
      ),
    ),
  )
}

/**
 * What is shown by now: harm, none beyond the margin, or nothing.
 * @param {string} metric
 * @param {number} margin
 * @param {boolean} harm
 * @param {number | undefined} lower
 * @param {number | undefined} upper
 */
function shown(metric, margin, harm, lower, upper) {
  if (harm) return badge('bad', 'harm')
  const none = metric === 'Quality' ? lower !== undefined && lower >= -margin : upper !== undefined && upper <= margin
  return none ? badge('good', 'no harm') : h('span', { class: 'faint' }, 'nothing yet')
}

/**
 * @param {string} title
 * @param {string} value
 */
const fact = (title, value) => h('div', {}, h('dt', {}, title), h('dd', {}, value))

/** @param {string} time RFC 3339 */
const since = (time) => span(Date.now() - Date.parse(time))

/** @param {string | undefined} text */
const number = (text) => (text === undefined ? undefined : Number(text))

/**
 * @param {string} metric
 * @param {string | undefined} lower
 * @param {string | undefined} upper
 * @param {string} margin
 */
function range(metric, lower, upper, margin) {
  const relative = metric === 'Latency' || metric === 'FirstToken' || metric === 'Cost'
  const shown = (/** @type {string} */ text) =>
    metric === 'Quality' ? signed(Number(text)) : `${signed(Number(text) * 100)}${relative ? ' %' : ''}`
  const unit = metric === 'Quality' ? '' : relative ? '' : ' points'
  return lower === undefined || upper === undefined
    ? `not known yet, margin ${shown(margin)}${unit}`
    : `${shown(lower)} to ${shown(upper)}, margin ${shown(margin)}${unit}`
}
