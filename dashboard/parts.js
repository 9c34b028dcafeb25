import { h } from './dom.js'
import { NONE, counted, percent } from './format.js'

/** What stands in several views. */

/**
 * @param {'good' | 'warn' | 'bad' | 'calm' | 'info'} kind
 * @param {string} text
 * @param {string} [title]
 */
export const badge = (kind, text, title) => h('span', { class: `badge ${kind}`, title }, text)

/** @type {Readonly<Record<string, 'good' | 'warn' | 'bad' | 'calm' | 'info'>>} */
const PHASES = {
  Pending: 'calm',
  Progressing: 'info',
  Paused: 'warn',
  RollingBack: 'bad',
  RolledBack: 'bad',
  Promoted: 'good',
}

/** @param {string} phase */
export const phaseBadge = (phase) => badge(PHASES[phase] ?? 'calm', phase)

/**
 * A figure with what it is.
 * @param {string} title
 * @param {import('./dom.js').Child} value
 * @param {...import('./dom.js').Child} more
 */
export const tile = (title, value, ...more) =>
  h('div', { class: 'tile' }, h('dt', {}, title), h('dd', {}, h('span', { class: 'figure' }, value), ...more))

/**
 * @param {string} title
 * @param {...import('./dom.js').Child} children
 */
export function card(title, ...children) {
  const id = `card-${title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}`
  return h('section', { class: 'card', 'aria-labelledby': id }, h('h2', { id }, title), ...children)
}

/**
 * A share of failures, in red once there are more than a hundredth.
 * @param {number | null} errors
 */
export const failures = (errors) =>
  errors === null ? NONE : h('span', { class: errors > 0.01 ? 'text-bad' : '' }, percent(errors))

/**
 * The name of an object, with its namespace faint.
 * @param {string} kind
 * @param {string} name
 */
export function link(kind, name) {
  const slash = name.indexOf('/')
  return h(
    'a',
    { href: `#/${kind}/${name}` },
    h('span', { class: 'faint' }, name.slice(0, slash + 1)),
    name.slice(slash + 1),
  )
}

/**
 * Sidecars that serve something as it is now, of those that are to.
 * @param {{ targeted: number, acknowledged: number, rejected: number }} sidecars
 */
export function programmed({ targeted, acknowledged, rejected }) {
  if (targeted === 0) return h('span', { class: 'faint' }, 'no sidecar')
  const kind = rejected > 0 ? 'bad' : acknowledged < targeted ? 'warn' : 'good'
  return badge(
    kind,
    `${acknowledged}/${targeted}`,
    rejected > 0
      ? `${counted(rejected, 'sidecar')} refused it`
      : `${acknowledged} of ${counted(targeted, 'sidecar')} serve it as it is now`,
  )
}

/**
 * @param {string} title
 * @param {...import('./dom.js').Child} children
 */
export const nothing = (title, ...children) =>
  h('div', { class: 'nothing' }, h('p', { class: 'nothing-title' }, title), ...children)

/**
 * The screen of one object: where it is, its name, and what there is to say.
 * @param {{ href: string, title: string }} list the list that it is in
 * @param {string} namespace
 * @param {string} own its name
 * @param {HTMLElement} body
 */
export const detailScreen = (list, namespace, own, body) =>
  h(
    'div',
    { class: 'screen flow' },
    h(
      'nav',
      { class: 'crumbs', 'aria-label': 'Breadcrumb' },
      h('a', { href: list.href }, list.title),
      h('span', { 'aria-hidden': 'true' }, ' / '),
      h('span', { class: 'faint' }, namespace),
    ),
    h('h1', {}, own),
    body,
  )
