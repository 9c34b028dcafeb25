/** @import { MirrorSideStatus, MirrorStatus } from '../../api/mirror.ts' */
import { h } from '../dom.js'
import { NONE, count, milliseconds, percent, signed, usd } from '../format.js'
import { card } from '../parts.js'

/** What of the two sides stands beside each other. @type {readonly (readonly [string, (side: MirrorSideStatus) => string])[]} */
const ROWS = [
  ['Errors', ({ errors }) => count(errors)],
  ['Truncations', ({ truncations }) => count(truncations)],
  ['Refusals', ({ refusals }) => count(refusals)],
  ['p50', ({ p50 }) => milliseconds(number(p50))],
  ['p95', ({ p95 }) => milliseconds(number(p95))],
  ['First token, p50', ({ firstTokenP50 }) => milliseconds(number(firstTokenP50))],
  ['Cost of a request', ({ cost }) => usd(number(cost))],
  ['Mark of the judge', ({ mark }) => mark ?? NONE],
]

/**
 * What the mirror of a rule has found.
 * @param {MirrorStatus} mirror
 */
export function mirrorCard({
  rule,
  target,
  requests,
  compared,
  agreement,
  judged,
  lead,
  candidate,
  current,
  spent,
  cap,
  skipped,
}) {
  return card(
    `Mirror of rule ${rule} to ${target}`,
    h(
      'dl',
      { class: 'facts' },
      fact('Asked of both', count(requests)),
      fact('Come to the same', agreement === undefined ? NONE : `${percent(Number(agreement))} of ${count(compared)}`),
      fact('Judged', count(judged)),
      fact(
        'Lead of the candidate',
        lead
          ? `${signed(Number(lead.estimate))} (${signed(Number(lead.lower))} to ${signed(Number(lead.upper))})`
          : NONE,
      ),
      fact('Spent', usd(Number(spent))),
      fact('Budget', cap),
      skipped.length > 0 && fact('Left out', skipped.map((it) => `${it.reason} ${count(it.count)}`).join(', ')),
    ),
    h(
      'div',
      { class: 'scroll', tabIndex: 0, role: 'region', 'aria-label': `Differences of the mirror of rule ${rule}` },
      h(
        'table',
        { class: 'plain-table few' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('td'),
            h('th', { scope: 'col', class: 'number' }, 'Candidate'),
            h('th', { scope: 'col', class: 'number' }, 'Current'),
          ),
        ),
        h(
          'tbody',
          {},
          ...ROWS.map(([title, of]) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, title),
              h('td', { class: 'number' }, of(candidate)),
              h('td', { class: 'number' }, of(current)),
            ),
          ),
        ),
      ),
    ),
  )
}

/** @param {string | undefined} text */
const number = (text) => (text === undefined ? undefined : Number(text))

/**
 * @param {string} title
 * @param {string} value
 */
const fact = (title, value) => h('div', {}, h('dt', {}, title), h('dd', {}, value))
