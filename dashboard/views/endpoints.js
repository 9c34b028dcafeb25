/** @import { EndpointRow } from '../../api/board.ts' */
/** @import { Store } from '../store.js' */
import { h } from '../dom.js'
import { NONE, count, counted, milliseconds, perSecond, usd } from '../format.js'
import { List, search } from '../list.js'
import { badge, card, detailScreen, failures, link, nothing, tile } from '../parts.js'

/**
 * All endpoints.
 * @param {Store} store
 */
export function endpointsView(store) {
  /** @type {List<EndpointRow>} */
  const list = new List({
    label: 'Endpoints',
    key: ({ name }) => name,
    columns: [
      { title: 'Endpoint', class: 'name', cell: ({ name }) => link('endpoints', name), sort: ({ name }) => name },
      { title: 'Provider', class: 'medium', cell: ({ provider }) => provider, sort: ({ provider }) => provider },
      {
        title: 'Models',
        class: 'models wide',
        cell: ({ models }) =>
          h(
            'span',
            { title: models.map(({ name }) => name).join(', ') },
            models.map(({ name }) => name || 'any').join(', '),
          ),
      },
      { title: 'Health', class: 'state', cell: health, sort: (row) => unwell(row), down: true },
      { title: 'Breakers', class: 'narrow', cell: breakers, sort: ({ sidecars }) => sidecars.open, down: true },
      { title: 'Routes', class: 'number', cell: ({ users }) => count(users), sort: ({ users }) => users, down: true },
      {
        title: 'Requests/s',
        class: 'number',
        cell: ({ rate }) => perSecond(rate.requests),
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
        cell: ({ rate }) => failures(rate.errors),
        sort: ({ rate }) => rate.errors,
        down: true,
      },
    ],
  })
  const field = search('Search endpoints, providers and models', (words) => ((wanted = words), update()))
  let wanted = ''

  function update() {
    const all = [...store.endpoints.values()]
    const rows = wanted
      ? all.filter(({ name, provider, models }) =>
          [name, provider, ...models.map((it) => it.name)].some((it) => it.toLowerCase().includes(wanted)),
        )
      : all
    field.tell(rows.length, all.length, 'endpoint')
    list.show(
      rows,
      all.length === 0
        ? nothing(
            'There is no endpoint yet.',
            h('p', {}, 'A ModelEndpoint is one place, an address and an account, that serves one or more models.'),
          )
        : nothing('No endpoint is like that.'),
    )
  }
  return {
    title: 'Endpoints',
    element: h('div', { class: 'screen' }, h('h1', { class: 'unseen' }, 'Endpoints'), field.element, list.element),
    update,
    list,
  }
}

/** @param {EndpointRow} row */
const unwell = ({ sidecars: { using, healthy }, problem }) => (problem ? 1e9 : 0) + using - healthy

/** @param {EndpointRow} row */
function health({ sidecars: { using, healthy }, problem }) {
  if (problem) return badge('bad', problem.reason, problem.message)
  if (using === 0) return h('span', { class: 'faint' }, 'not in use')
  return badge(
    healthy === using ? 'good' : healthy * 2 > using ? 'warn' : 'bad',
    `${count(healthy)}/${count(using)} healthy`,
  )
}

/** @param {EndpointRow} row */
function breakers({ sidecars: { open, using } }) {
  if (using === 0) return NONE
  return open === 0 ? h('span', { class: 'faint' }, 'closed') : badge('bad', `${count(open)} open`)
}

/**
 * One endpoint.
 * @param {Store} store
 * @param {string} name
 */
export function endpointView(store, name) {
  const [namespace = '', own = ''] = name.split('/')
  const body = h('div', { class: 'cards' })
  /** @type {EndpointRow | undefined} */
  let drawn

  function update() {
    const row = store.endpoints.get(name)
    if (row && row === drawn) return
    drawn = row
    if (!row)
      return body.replaceChildren(
        store.known
          ? nothing('There is no such endpoint.', h('p', {}, h('a', { href: '#/endpoints' }, 'All endpoints')))
          : h('p', { class: 'loading' }, 'Loading …'),
      )
    const { sidecars, models, rate, problem, users, usedBy, provider, url, generation } = row
    body.replaceChildren(
      h('p', { class: 'under' }, `${provider} · `, h('code', {}, url), ` · generation ${generation}`),
      ...(problem ? [h('p', { class: 'stale' }, badge('bad', problem.reason), ` ${problem.message}`)] : []),
      h(
        'dl',
        { class: 'tiles' },
        tile('Health', health(row)),
        tile('Requests/s', perSecond(rate.requests)),
        tile('Errors', failures(rate.errors)),
        tile('p50', milliseconds(rate.p50)),
        tile('p95', milliseconds(rate.p95)),
        tile('Cost', rate.cost === null ? NONE : `${usd(rate.cost)}/h`),
      ),
      card(
        'Models',
        h(
          'table',
          { class: 'plain-table' },
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              ...['Model', 'Sidecars that find it healthy', 'Open breakers', 'Rate limit'].map((it) =>
                h('th', { scope: 'col' }, it),
              ),
            ),
          ),
          h(
            'tbody',
            {},
            ...models.map((it) =>
              h(
                'tr',
                {},
                h('th', { scope: 'row' }, it.name || 'any'),
                h('td', {}, `${count(it.healthy)} of ${count(sidecars.using)}`),
                h('td', {}, it.open > 0 ? badge('bad', count(it.open)) : 'none'),
                h(
                  'td',
                  {},
                  it.scarce > 0 ? badge('warn', `nearly used up for ${counted(it.scarce, 'sidecar')}`) : 'plenty',
                ),
              ),
            ),
          ),
        ),
      ),
      card(
        'Used by',
        users === 0
          ? h('p', { class: 'faint' }, 'No route refers to it.')
          : h('ul', { class: 'links' }, ...usedBy.map((it) => h('li', {}, link('routes', it)))),
        users > usedBy.length && h('p', { class: 'faint' }, `And ${count(users - usedBy.length)} more.`),
      ),
    )
  }
  return {
    title: own,
    element: detailScreen({ href: '#/endpoints', title: 'Endpoints' }, namespace, own, body),
    update,
  }
}
