/** @import { RouteRow } from '../../api/board.ts' */
/** @import { Store } from '../store.js' */
import { sparkline } from '../chart.js'
import { h } from '../dom.js'
import { NONE, count, milliseconds, perSecond, percent, usd } from '../format.js'
import { List, search } from '../list.js'
import { badge, failures, link, nothing, phaseBadge, programmed, tile } from '../parts.js'

/**
 * All routes.
 * @param {Store} store
 */
export function routesView(store) {
  const latest = (/** @type {RouteRow} */ row) => rolloutsOf(store, row.name)[0]
  const trying = (/** @type {RouteRow} */ row) =>
    [...store.experiments.values()].some(({ route, phase }) => route === row.name && phase !== 'Decided')
  /** @type {List<RouteRow>} */
  const list = new List({
    label: 'Routes',
    key: ({ name }) => name,
    also: (row) => latest(row) ?? trying(row),
    columns: [
      { title: 'Route', class: 'name', cell: ({ name }) => link('routes', name), sort: ({ name }) => name },
      {
        title: 'Models',
        class: 'models wide',
        of: ({ models }) => models.join(),
        cell: ({ models }) => h('span', { title: models.join(', ') }, models.join(', ')),
      },
      {
        title: 'Sidecars',
        class: 'narrow',
        of: ({ sidecars }) => JSON.stringify(sidecars),
        cell: ({ sidecars }) => programmed(sidecars),
        sort: lag,
        down: true,
      },
      { title: 'Split', class: 'split', of: (row) => words(row), cell: split },
      {
        title: 'Requests/s',
        class: 'number rate',
        of: ({ rate, history }) => `${rate.requests} ${history.slice(0, -1).join()}`,
        cell: ({ rate, history }) => [
          sparkline(history.slice(0, -1), { width: 64 }),
          h('span', {}, perSecond(rate.requests)),
        ],
        sort: ({ rate }) => rate.requests,
        down: true,
      },
      {
        title: 'p95',
        class: 'number',
        cell: ({ rate }) => milliseconds(rate.p95),
        sort: ({ rate }) => rate.p95,
        down: true,
      },
      { title: '$/h', class: 'number', cell: ({ rate }) => usd(rate.cost), sort: ({ rate }) => rate.cost, down: true },
      {
        title: 'Errors',
        class: 'number',
        of: ({ rate }) => `${rate.errors}`,
        cell: ({ rate }) => failures(rate.errors),
        sort: ({ rate }) => rate.errors,
        down: true,
      },
      {
        title: 'State',
        class: 'state',
        of: (row) =>
          [row.problem?.reason, row.problem?.message, latest(row)?.phase, latest(row)?.weight, trying(row)].join(),
        cell: (row) => state(row, latest(row), trying(row)),
        sort: (row) => (row.problem ? 0 : latest(row) ? 1 : 2),
      },
    ],
  })
  const field = search('Search routes and models', (words) => ((wanted = words), update()))
  const tiles = h('dl', { class: 'tiles' })
  let wanted = ''
  /** @type {readonly RouteRow[] | undefined} */
  let before

  function update() {
    const all = [...store.routes.values()]
    const rows = wanted
      ? all.filter(
          ({ name, models }) => name.includes(wanted) || models.some((it) => it.toLowerCase().includes(wanted)),
        )
      : all
    // A rollout's state is in its route's row.
    const last = before
    const same = rows.length === last?.length && rows.every((row, at) => row === last[at])
    before = rows
    tiles.replaceChildren(...summary(store))
    field.tell(rows.length, all.length, 'route')
    if (same && store.rollouts.size + store.experiments.size === 0) return
    list.show(
      rows,
      all.length === 0
        ? none()
        : nothing('No route is like that.', h('p', {}, 'The search looks at names and models.')),
    )
  }

  return {
    title: 'Routes',
    element: h('div', { class: 'screen' }, h('h1', { class: 'unseen' }, 'Routes'), tiles, field.element, list.element),
    update,
    list,
  }
}

/**
 * @param {Store} store
 * @param {string} route
 */
export const rolloutsOf = (store, route) => [...store.rollouts.values()].filter((it) => it.route === route)

const none = () =>
  nothing(
    'There is no route yet.',
    h('p', {}, 'A ModelRoute says which models callers may ask for, and which endpoints answer.'),
    h('pre', {}, h('code', {}, 'kubectl apply -f route.yaml\nkubectl get modelroutes -A')),
  )

/**
 * Figures of all together.
 * @param {Store} store
 */
function summary(store) {
  let [requests, failed, cost, wrong] = [0, 0, 0, 0]
  let told = false
  for (const { rate, problem } of store.routes.values()) {
    requests += rate.requests
    failed += rate.requests * (rate.errors ?? 0)
    cost += rate.cost ?? 0
    told ||= rate.cost !== null
    if (problem) wrong++
  }
  let [connected, behind] = [0, 0]
  for (const it of store.sidecars.values()) {
    if (it.connected) connected++
    if (it.connected && it.current < it.routes) behind++
  }
  const active = [...store.rollouts.values()].filter(
    ({ phase }) => phase === 'Progressing' || phase === 'Paused' || phase === 'RollingBack',
  ).length
  return [
    tile('Requests/s', perSecond(requests)),
    tile('Errors', requests > 0 ? percent(failed / requests) : NONE),
    tile('Cost', told ? `${usd(cost)}/h` : NONE),
    tile('Rollouts under way', count(active)),
    tile(
      'Sidecars connected',
      `${count(connected)} of ${count(store.sidecars.size)}`,
      behind > 0 && badge('warn', `${count(behind)} behind`),
    ),
    tile('Routes with a problem', wrong > 0 ? h('span', { class: 'text-bad' }, count(wrong)) : '0'),
  ]
}

/** @param {RouteRow} row */
const lag = ({ sidecars: { targeted, acknowledged } }) => targeted - acknowledged

/**
 * A split in words, as configured and as observed.
 * @param {RouteRow} row
 */
const words = ({ split }) =>
  split
    .map(
      ({ target, configured, observed }) =>
        `${configured === null ? '' : `${percent(configured)} `}${target}${observed === null ? '' : ` (observed ${percent(observed)})`}`,
    )
    .join(', ')

/** @param {RouteRow} row */
function split(row) {
  const { split } = row
  if (split.length === 0) return NONE
  const bar = (/** @type {'configured' | 'observed'} */ kind) =>
    h(
      'span',
      { class: `stack ${kind}` },
      ...split.map((part, at) =>
        h('span', { class: `part c${at % 6}`, style: { width: `${(part[kind] ?? 0) * 100}%` } }),
      ),
    )
  const text = words(row)
  return h(
    'span',
    { class: 'splits', title: text },
    h('span', { 'aria-hidden': 'true', class: 'bars' }, bar('configured'), bar('observed')),
    h('span', { class: 'split-text' }, short(split)),
    h('span', { class: 'unseen' }, text),
  )
}

/** @param {RouteRow['split']} split */
const short = (split) =>
  h(
    'span',
    { 'aria-hidden': 'true' },
    split
      .slice(0, 2)
      .map(({ target, configured }) => `${configured === null ? '' : `${percent(configured)} `}${target}`)
      .join(' · ') + (split.length > 2 ? ` +${split.length - 2}` : ''),
  )

/**
 * @param {RouteRow} row
 * @param {import('../store.js').Rollout | undefined} rollout
 * @param {boolean} trying whether it has an experiment under way
 */
function state({ problem }, rollout, trying) {
  if (problem) return badge('bad', problem.reason, problem.message)
  if (rollout) return [phaseBadge(rollout.phase), h('span', { class: 'faint small' }, ` ${rollout.weight} %`)]
  if (trying) return badge('info', 'Experiment')
  return h('span', { class: 'faint' }, 'steady')
}
