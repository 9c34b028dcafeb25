/** @import { SidecarRow } from '../../api/board.ts' */
/** @import { Store } from '../store.js' */
import { h } from '../dom.js'
import { count, counted } from '../format.js'
import { List, search } from '../list.js'
import { badge, card, detailScreen, link, nothing } from '../parts.js'

/**
 * All sidecars.
 * @param {Store} store
 */
export function sidecarsView(store) {
  /** @type {List<SidecarRow>} */
  const list = new List({
    label: 'Sidecars',
    key: ({ pod }) => pod,
    order: { column: 2, down: false },
    columns: [
      { title: 'Pod', class: 'name', cell: ({ pod }) => link('sidecars', pod), sort: ({ pod }) => pod },
      {
        title: 'Version',
        class: 'narrow',
        cell: ({ version }) => version || h('span', { class: 'faint' }, 'unknown'),
        sort: ({ version }) => version,
      },
      { title: 'State', class: 'state', cell: state, sort: grade },
      {
        title: 'Routes served',
        class: 'number medium',
        cell: ({ current, routes }) => `${count(current)} of ${count(routes)}`,
        sort: ({ current, routes }) => current - routes,
      },
      { title: 'What is the matter', class: 'why', cell: (row) => h('span', { title: why(row) }, why(row)) },
    ],
  })
  const field = search('Search pods, versions and states', (words) => ((wanted = words), update()))
  let wanted = ''

  function update() {
    const all = [...store.sidecars.values()]
    const rows = wanted
      ? all.filter((row) => `${row.pod} ${row.version} ${word(row)}`.toLowerCase().includes(wanted))
      : all
    field.tell(rows.length, all.length, 'sidecar')
    list.show(
      rows,
      all.length === 0
        ? nothing(
            'There is no sidecar yet.',
            h('p', {}, 'A pod that asks for one, by label, gets it when it starts.'),
            h('pre', {}, h('code', {}, 'kubectl label namespace ai tradewind.dev/inject=true')),
          )
        : nothing('No sidecar is like that.'),
    )
  }
  return {
    title: 'Sidecars',
    element: h('div', { class: 'screen' }, h('h1', { class: 'unseen' }, 'Sidecars'), field.element, list.element),
    update,
    list,
  }
}

/** The worst first. @param {SidecarRow} row */
const grade = ({ connected, refused, current, routes, lacks }) =>
  refused ? 0 : !connected ? 1 : current < routes ? 2 : lacks.length > 0 ? 3 : 4

const WORDS = /** @type {const} */ (['refused', 'not connected', 'behind', 'old', 'current'])
const KINDS = /** @type {const} */ (['bad', 'bad', 'warn', 'calm', 'good'])

/** @param {SidecarRow} row */
const word = (row) => WORDS[grade(row)] ?? ''

/** @param {SidecarRow} row */
const state = (row) => badge(KINDS[grade(row)] ?? 'calm', word(row))

/** @param {SidecarRow} row */
function why({ refused, connected, behind, current, routes, lacks }) {
  if (refused) return `${refused.resource}${refused.path}: ${refused.message}`
  if (!connected) return 'The pod runs, and its sidecar has no connection to the operator; it goes on with what it has.'
  if (current < routes)
    return `behind with ${behind.join(', ')}${routes - current > behind.length ? ` and ${routes - current - behind.length} more` : ''}`
  return lacks.length > 0 ? `too old for ${lacks.join(', ')}` : ''
}

/**
 * One sidecar.
 * @param {Store} store
 * @param {string} name
 */
export function sidecarView(store, name) {
  const [namespace = '', own = ''] = name.split('/')
  const body = h('div', { class: 'cards' })
  /** @type {SidecarRow | undefined} */
  let drawn

  function update() {
    const row = store.sidecars.get(name)
    if (row && row === drawn) return
    drawn = row
    if (!row)
      return body.replaceChildren(
        store.known
          ? nothing('There is no such sidecar.', h('p', {}, h('a', { href: '#/sidecars' }, 'All sidecars')))
          : h('p', { class: 'loading' }, 'Loading …'),
      )
    body.replaceChildren(
      h('p', { class: 'under' }, state(row), row.version && ` version ${row.version}`),
      card(
        'Routes',
        h('p', {}, `It serves ${count(row.current)} of ${counted(row.routes, 'route')} as they are now.`),
        row.behind.length > 0 &&
          h('ul', { class: 'links' }, ...row.behind.map((it) => h('li', {}, link('routes', it)))),
        row.routes - row.current > row.behind.length &&
          h('p', { class: 'faint' }, `And ${count(row.routes - row.current - row.behind.length)} more.`),
      ),
      ...(why(row) ? [card('What is the matter', h('p', {}, why(row)))] : []),
    )
  }
  return {
    title: own,
    element: detailScreen({ href: '#/sidecars', title: 'Sidecars' }, namespace, own, body),
    update,
  }
}
