/** @import { RouteDetail, RuleDetail } from '../../api/board.ts' */
/** @import { Store } from '../store.js' */
/** @import { Verb } from './rollout.js' */
import { shares, sparkline } from '../chart.js'
import { h } from '../dom.js'
import { NONE, count, counted, milliseconds, perSecond, percent, usd } from '../format.js'
import { badge, card, detailScreen, failures, nothing, programmed, tile } from '../parts.js'
import { Denied } from '../stream.js'
import { ask, session } from '../session.js'
import { experimentCard } from './experiment.js'
import { mirrorCard } from './mirror.js'
import { rolloutCard } from './rollout.js'
import { keepFocus } from './rollouts.js'
import { rolloutsOf } from './routes.js'

/** Between two questions, ms. */
const EVERY = 500

/**
 * One route with all that is known of it.
 * @param {Store} store
 * @param {string} name
 * @param {(rollout: import('../store.js').Rollout, verb: Verb) => void} act
 */
export function routeView(store, name, act) {
  const [namespace = '', own = ''] = name.split('/')
  const body = h('div', { class: 'cards' }, h('p', { class: 'loading' }, 'Loading …'))
  /** @type {RouteDetail | undefined} */
  let detail
  /** @type {string | undefined} */
  let wrong
  /** What the detail was asked for by; another row means that there is more to know. */
  /** @type {object | undefined} */
  let askedFor
  let asking = false
  let closed = false

  async function refresh() {
    if (asking || closed) return
    const row = store.routes.get(name)
    askedFor = row
    asking = true
    try {
      const query = new URLSearchParams({ route: name, ...(session.namespace ? { namespace } : {}) })
      detail = /** @type {RouteDetail} */ (await ask(`/v1/status?${query}`))
      wrong = undefined
    } catch (error) {
      if (error instanceof Denied && error.status === 404) detail = undefined
      wrong = error instanceof Error ? error.message : String(error)
    }
    if (!closed) draw()
    setTimeout(() => {
      asking = false
      if (store.routes.get(name) !== askedFor) void refresh()
    }, EVERY)
  }

  function draw() {
    keepFocus(body, () => body.replaceChildren(...parts(store, name, detail, wrong, act)))
  }

  return {
    title: own,
    element: detailScreen({ href: '#/routes', title: 'Routes' }, namespace, own, body),
    update() {
      if (store.routes.get(name) !== askedFor || !detail) void refresh()
      if (detail) draw()
    },
    close: () => (closed = true),
  }
}

/**
 * @param {Store} store
 * @param {string} name
 * @param {RouteDetail | undefined} detail
 * @param {string | undefined} wrong
 * @param {(rollout: import('../store.js').Rollout, verb: Verb) => void} act
 * @returns {Element[]}
 */
function parts(store, name, detail, wrong, act) {
  const row = store.routes.get(name)
  if (!detail) {
    if (row?.problem) return [nothing(row.problem.reason, h('p', {}, row.problem.message))]
    if (wrong !== undefined)
      return [nothing('It cannot be shown.', h('p', {}, wrong), h('p', {}, h('a', { href: '#/routes' }, 'All routes')))]
    return [h('p', { class: 'loading' }, 'Loading …')]
  }
  const { rate, history, sidecars, models, generation, conditions } = detail
  const moments = store.moments.get(name) ?? []
  const line = (/** @type {readonly (number | null)[]} */ values) =>
    sparkline(
      values.map((it) => it ?? 0),
      { width: 120, height: 30 },
    )
  return [
    h(
      'p',
      { class: 'under' },
      'Callers ask for ',
      ...models.flatMap((it, at) => [at > 0 ? ', ' : '', h('code', {}, it)]),
      ` · generation ${generation} · `,
      programmed(sidecars),
    ),
    ...(wrong === undefined ? [] : [h('p', { class: 'stale', role: 'status' }, `What is shown may be old: ${wrong}`)]),
    ...conditions
      .filter(({ type, status }) => type === 'FaultsInjected' && status === 'True')
      .map(({ message }) => h('p', { class: 'stale' }, badge('bad', 'Faults'), ` ${message}`)),
    h(
      'dl',
      { class: 'tiles' },
      tile('Requests/s', perSecond(rate.requests), line(history.slice(0, -1))),
      tile('Errors', failures(rate.errors), line(moments.map(({ errors }) => errors))),
      tile('p50', milliseconds(rate.p50)),
      tile('p95', milliseconds(rate.p95), line(moments.map(({ p95 }) => p95))),
      tile('Cost', rate.cost === null ? NONE : `${usd(rate.cost)}/h`, line(moments.map(({ cost }) => cost))),
    ),
    ...rolloutsOf(store, name).map((it) => rolloutCard(it, act)),
    ...[...store.experiments.values()].filter(({ route }) => route === name).map(experimentCard),
    ...detail.rules.map(rule),
    ...detail.mirrors.map(mirrorCard),
    card(
      'Sidecars',
      h(
        'p',
        {},
        `${count(sidecars.acknowledged)} of ${counted(sidecars.targeted, 'sidecar')} serve generation ${generation}; ${count(sidecars.connected)} are connected, ${count(sidecars.rejected)} refused it.`,
      ),
      detail.behind.length > 0 &&
        h(
          'ul',
          { class: 'behind' },
          ...detail.behind.map(({ pod, why }) =>
            h('li', {}, h('code', {}, pod), ' ', h('span', { class: 'faint' }, why)),
          ),
        ),
      detail.behind.length > 0 &&
        sidecars.targeted - sidecars.acknowledged > detail.behind.length &&
        h(
          'p',
          { class: 'faint' },
          `And ${count(sidecars.targeted - sidecars.acknowledged - detail.behind.length)} more.`,
        ),
    ),
    card(
      'Conditions',
      h(
        'dl',
        { class: 'conditions' },
        ...conditions.flatMap(({ type, status, reason, message }) => [
          h('dt', {}, type, ' ', badge(conditionKind(type, status), reason === type ? status : reason)),
          h('dd', {}, message),
        ]),
      ),
    ),
  ]
}

/**
 * @param {string} type
 * @param {string} status
 */
function conditionKind(type, status) {
  if (status === 'Unknown') return 'calm'
  const ill = type === 'PartiallyInvalid' || type === 'FaultsInjected'
  return (status === 'True') !== ill ? 'good' : 'bad'
}

/** What a colour stands for. @param {'configured' | 'observed'} kind */
const swatch = (kind) => h('span', { class: `swatch ${kind}`, 'aria-hidden': 'true' })

/** @param {RuleDetail} rule */
function rule({ name, strategy, sticky, matchesAll, features, targets }) {
  const how = [
    strategy,
    sticky === null ? '' : `sticky by ${sticky}`,
    matchesAll ? 'takes all that is left' : 'takes what it matches',
    ...features,
  ].filter(Boolean)
  return card(
    `Rule ${name}`,
    h('p', { class: 'faint' }, how.join(' · ')),
    h(
      'div',
      { class: 'scroll', tabIndex: 0, role: 'region', 'aria-label': `Targets of rule ${name}` },
      h(
        'table',
        { class: 'plain-table' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, 'Target'),
            h('th', { scope: 'col', colSpan: 2 }, swatch('configured'), 'configured', swatch('observed'), 'observed'),
            ...['Requests/s', 'Errors', 'p50', 'p95', '$/h'].map((it) =>
              h('th', { scope: 'col', class: 'number' }, it),
            ),
          ),
        ),
        h(
          'tbody',
          {},
          ...targets.map(({ endpoint, model, weight, priority, unavailable, configured, observed, rate }) =>
            h(
              'tr',
              {},
              h(
                'th',
                { scope: 'row' },
                h('a', { href: `#/endpoints/${endpoint}` }, endpoint.slice(endpoint.indexOf('/') + 1)),
                model && h('span', { class: 'faint' }, ` ${model}`),
                unavailable && badge('bad', 'unavailable'),
                priority > 0 && h('span', { class: 'faint small' }, ` after ${counted(priority, 'failure')}`),
              ),
              h('td', { class: 'shares-cell' }, shares(configured, observed)),
              h(
                'td',
                { class: 'number' },
                configured === null ? NONE : h('span', { title: `weight ${weight}` }, percent(configured)),
                h('span', { class: 'faint' }, ` → ${percent(observed)}`),
              ),
              h('td', { class: 'number' }, perSecond(rate.requests)),
              h('td', { class: 'number' }, failures(rate.errors)),
              h('td', { class: 'number' }, milliseconds(rate.p50)),
              h('td', { class: 'number' }, milliseconds(rate.p95)),
              h('td', { class: 'number' }, usd(rate.cost)),
            ),
          ),
        ),
      ),
    ),
  )
}
