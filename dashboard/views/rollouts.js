/** @import { Store } from '../store.js' */
/** @import { Verb } from './rollout.js' */
import { h } from '../dom.js'
import { nothing } from '../parts.js'
import { rolloutCard } from './rollout.js'

/** Those under way first. */
const ORDER = ['RollingBack', 'Paused', 'Progressing', 'Pending', 'RolledBack', 'Promoted']
/** So many are shown whole. */
const SHOWN = 50

/**
 * All rollouts.
 * @param {Store} store
 * @param {(rollout: import('../store.js').Rollout, verb: Verb) => void} act
 */
export function rolloutsView(store, act) {
  const cards = h('div', { class: 'cards' })
  /** @type {Map<string, { of: object, card: Element }>} */
  let drawn = new Map()

  function update() {
    const all = [...store.rollouts].sort(
      ([a, x], [b, y]) => ORDER.indexOf(x.phase) - ORDER.indexOf(y.phase) || (a < b ? -1 : 1),
    )
    /** @type {typeof drawn} */
    const next = new Map()
    for (const [key, of] of all.slice(0, SHOWN)) {
      const known = drawn.get(key)
      next.set(key, known?.of === of ? known : { of, card: rolloutCard(of, act, { linked: true }) })
    }
    keepFocus(cards, () =>
      cards.replaceChildren(...(next.size ? [...next.values()].map(({ card }) => card) : [none()])),
    )
    if (all.length > SHOWN)
      cards.append(h('p', { class: 'faint' }, `And ${all.length - SHOWN} more: see them with their routes.`))
    drawn = next
  }

  return { title: 'Rollouts', element: h('div', { class: 'screen flow' }, h('h1', {}, 'Rollouts'), cards), update }
}

const none = () =>
  nothing(
    'No rule has a rollout.',
    h(
      'p',
      {},
      'With a rollout in one of its rules, a route moves a canary from 1 to 100 percent by itself, and takes it back where its guardrails find harm.',
    ),
    h('pre', {}, h('code', {}, 'rules:\n- name: all\n  targets: [...]\n  rollout: { canary: { name: cheaper } }')),
  )

/**
 * Does what puts new elements in the place of old ones; where the focus was on a button, it is on the same button of the new ones.
 * @param {Element} within
 * @param {() => void} change
 */
export function keepFocus(within, change) {
  const focused = document.activeElement
  if (!focused || !within.contains(focused)) return change()
  const same = (/** @type {Element} */ it) =>
    `${it.closest('[aria-labelledby]')?.getAttribute('aria-labelledby')} ${it.tagName} ${it.textContent} ${it.getAttribute('aria-label')}`
  const name = same(focused)
  change()
  if (document.activeElement === focused) return
  for (const it of within.querySelectorAll('button, a, [tabindex]'))
    if (same(it) === name && it instanceof HTMLElement) return it.focus({ preventScroll: true })
}
