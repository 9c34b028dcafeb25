/** @import { Experiment } from '../store.js' */
import { h } from '../dom.js'
import { NONE, count, evidence, signed, span } from '../format.js'
import { measured, words } from '../metrics.js'
import { badge } from '../parts.js'

/** @type {Readonly<Record<string, 'good' | 'warn' | 'bad' | 'calm' | 'info'>>} */
const KINDS = {
  Running: 'info',
  Blocked: 'bad',
  Decided: 'good',
  Better: 'good',
  Worse: 'bad',
  Open: 'calm',
  Unknown: 'calm',
}

/**
 * One experiment with what is known of it.
 * @param {Experiment} experiment
 */
export function experimentCard({ route, rule, name, phase, decision, winner, message, started, arms, metrics, ratio }) {
  const id = `experiment-${route}-${rule}`.replace(/[^a-z0-9-]/gi, '-')
  return h(
    'section',
    { class: 'card', 'aria-labelledby': id },
    h(
      'div',
      { class: 'card-head' },
      h('h2', { id }, `Experiment ${name}`, h('span', { class: 'faint' }, ` rule ${rule}`)),
      badge(KINDS[phase] ?? 'calm', phase),
      decision !== undefined &&
        badge(decision === 'Ship' ? 'good' : 'calm', `${decision}${winner ? `: ${winner}` : ''}`),
    ),
    h('p', { class: 'message' }, message),
    h(
      'dl',
      { class: 'facts' },
      ...arms.map(({ name, target, requests }) =>
        fact(name, `${count(requests)} `, h('span', { class: 'faint small' }, target)),
      ),
      fact('Evidence of a wrong ratio', ratio === undefined ? NONE : evidence(Number(ratio))),
      fact('Runs for', span(Date.now() - Date.parse(started))),
    ),
    metrics.length > 0 &&
      h(
        'div',
        { class: 'scroll', tabIndex: 0, role: 'region', 'aria-label': `Results of experiment ${name}` },
        h(
          'table',
          { class: 'plain-table' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ...['Arm', 'Metric', 'Arm', 'Control', 'Difference', 'Evidence', 'Verdict'].map((it, at) =>
                h('th', { scope: 'col', class: at === 2 || at === 3 ? 'number' : '' }, it),
              ),
            ),
          ),
          h(
            'tbody',
            {},
            ...metrics.map((it) =>
              h(
                'tr',
                {},
                h('th', { scope: 'row' }, it.arm),
                h('td', {}, words(it.metric), it.primary && h('span', { class: 'faint small' }, ' decides')),
                h('td', { class: 'number' }, measured(it.metric, it.value)),
                h('td', { class: 'number' }, measured(it.metric, it.control)),
                h('td', {}, difference(it)),
                h('td', {}, it.evidence === undefined ? NONE : evidence(Number(it.evidence))),
                h('td', {}, badge(KINDS[it.verdict] ?? 'calm', it.verdict)),
              ),
            ),
          ),
        ),
      ),
  )
}

/** @param {Experiment['metrics'][number]} metric */
function difference({ metric, estimate, lower, upper }) {
  if (estimate === undefined) return NONE
  const relative = metric === 'Latency' || metric === 'FirstToken' || metric === 'Cost'
  const shown = (/** @type {string | undefined} */ text, /** @type {string} */ none) =>
    text === undefined ? none : signed(Number(text) * (metric === 'Quality' ? 1 : 100))
  return `${shown(estimate, '')}${relative ? ' %' : metric === 'Quality' ? '' : ' points'} (${shown(lower, '−∞')} to ${shown(upper, '∞')})`
}

/**
 * @param {string} title
 * @param {...import('../dom.js').Child} value
 */
const fact = (title, ...value) => h('div', {}, h('dt', {}, title), h('dd', {}, ...value))
