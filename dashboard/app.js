import { at, fill, h } from './dom.js'
import { ago } from './format.js'
import { ask, session } from './session.js'
import { Store } from './store.js'
import { Denied, follow } from './stream.js'
import { endpointView, endpointsView } from './views/endpoints.js'
import { confirm, helpDialog } from './views/help.js'
import { VERBS } from './views/rollout.js'
import { rolloutsView } from './views/rollouts.js'
import { routeView } from './views/route.js'
import { routesView } from './views/routes.js'
import { sidecarView, sidecarsView } from './views/sidecars.js'
import { signInView } from './views/sign-in.js'

/** @typedef {{ title: string, element: Element, update: () => void, close?: () => void, list?: { focus: () => void }, focus?: () => void }} View */
/** @typedef {import('./store.js').Rollout} Rollout */
/** @typedef {import('./views/rollout.js').Verb} Verb */

const SCREENS = /** @type {const} */ ([
  ['routes', 'Routes', 'r'],
  ['rollouts', 'Rollouts', 'o'],
  ['endpoints', 'Endpoints', 'e'],
  ['sidecars', 'Sidecars', 's'],
])
/** Between two attempts to connect, ms. */
const WAITS = [300, 1000, 2000, 5000]

const store = new Store()
/** @type {View | undefined} */
let view
/** When anything was heard last, ms since the epoch. */
let heard = 0
let live = false
/** Why nobody is signed in; undefined: somebody is, or nobody has to be. @type {string | undefined} */
let signIn
/** What of it may not be seen. */
let lacking = ''
let connection = new AbortController()

/** Shows what the address says. */
function show() {
  view?.close?.()
  const [screen = 'routes', ...name] = decodeURIComponent(location.hash.replace(/^#\/?/, '')).split('/')
  const of = name.length === 2 ? name.join('/') : undefined
  view = signIn === undefined ? viewOf(screen, of) : signInView(signIn, session.namespace, enter)
  document.title = `${view.title} · Tradewind`
  fill(at('main'), view.element)
  nav(screen)
  if (signIn !== undefined) view.focus?.()
  update()
}

/**
 * @param {string} screen
 * @param {string | undefined} name
 * @returns {View}
 */
function viewOf(screen, name) {
  switch (screen) {
    case 'rollouts':
      return rolloutsView(store, act)
    case 'endpoints':
      return name ? endpointView(store, name) : endpointsView(store)
    case 'sidecars':
      return name ? sidecarView(store, name) : sidecarsView(store)
    default:
      return name ? routeView(store, name, act) : routesView(store)
  }
}

/** @param {string} screen */
function nav(screen) {
  const known = SCREENS.some(([name]) => name === screen) ? screen : 'routes'
  fill(
    at('nav'),
    ...(signIn === undefined ? SCREENS : []).map(([name, title, key]) =>
      h(
        'a',
        { href: `#/${name}`, 'aria-keyshortcuts': `g ${key}`, ...(name === known ? { 'aria-current': 'page' } : {}) },
        title,
      ),
    ),
  )
  at('leave').hidden = session.token === null || signIn !== undefined
}

function update() {
  if (signIn !== undefined) return
  if (store.known) attempt(() => view?.update())
  else if (view?.list)
    fill(at('main'), h('div', { class: 'screen' }, h('p', { class: 'loading', role: 'status' }, 'Loading …')))
}

store.onChange(() => {
  const waiting = document.querySelector('#main > .screen > .loading')
  if (waiting && store.known && view) fill(at('main'), view.element)
  update()
})

/**
 * A view that fails says so, rather than show what is old as if it were new.
 * @param {() => void} work
 */
function attempt(work) {
  try {
    work()
  } catch (error) {
    say(`This screen cannot be shown: ${String(error)}`, true)
    throw error
  }
}

/** Says whether what is shown is of now, and how old it is where it is not. */
function pulse() {
  const text =
    signIn !== undefined ? '' : live ? 'Live' : heard === 0 ? 'Connecting …' : `Last update ${ago(Date.now() - heard)}`
  const pulse = at('pulse')
  if (pulse.textContent !== text) pulse.textContent = text
  pulse.className = `pulse ${live ? 'live' : 'lost'}`
  const lost = signIn === undefined && !live && heard > 0
  document.body.classList.toggle('lost', lost)
  const words = lost ? 'Disconnected. What is shown is what was known last; it is tried again.' : lacking
  const banner = at('banner')
  if (banner.textContent !== words) banner.textContent = words
}

/** Connects, and again whenever the connection is lost, until somebody has to sign in. */
async function connect() {
  connection.abort()
  const mine = (connection = new AbortController())
  for (let failures = 0; !mine.signal.aborted; failures++) {
    try {
      await listen('board,rollouts', mine.signal, () => (failures = 0))
      lacking = ''
    } catch (error) {
      if (mine.signal.aborted) return
      if (error instanceof Denied && error.status === 403 && error.message.includes('rollouts')) {
        lacking = `Rollouts are not shown: ${error.message}`
        await listen('board', mine.signal, () => (failures = 0)).catch(refused)
      } else refused(error)
    }
    live = false
    pulse()
    await new Promise((resolve) => setTimeout(resolve, WAITS[Math.min(failures, WAITS.length - 1)]))
  }
}

/**
 * @param {string} parts
 * @param {AbortSignal} signal
 * @param {() => void} well
 */
async function listen(parts, signal, well) {
  const query = new URLSearchParams({ parts, ...(session.namespace ? { namespace: session.namespace } : {}) })
  await follow(`/v1/watch?${query}`, session.headers, signal, (event) => {
    heard = Date.now()
    if (!event) return
    if (event.name === 'state') store.replace(JSON.parse(event.data), heard)
    if (event.name === 'change') store.change(JSON.parse(event.data), heard)
    if (event.name === 'end') return
    live = true
    well()
    pulse()
  })
}

/** @param {unknown} error */
function refused(error) {
  if (!(error instanceof Denied) || (error.status !== 401 && error.status !== 403)) return
  leave(session.token === null ? '' : error.message)
}

/**
 * @param {string} token
 * @param {string} namespace
 */
function enter(token, namespace) {
  session.enter(token, namespace)
  signIn = undefined
  heard = 0
  show()
  void connect()
}

/** @param {string} why */
function leave(why) {
  connection.abort()
  session.leave()
  store.clear()
  live = false
  lacking = ''
  signIn = why
  show()
  pulse()
}

/**
 * Does something to a rollout, once somebody has said so twice.
 * @param {Rollout} rollout
 * @param {Verb} verb
 */
function act(rollout, verb) {
  void done(rollout, verb)
}

/**
 * @param {Rollout} rollout
 * @param {Verb} verb
 */
async function done({ route, rule }, verb) {
  const { title, does } = VERBS[verb]
  const sure = await confirm(`${title} the rollout of ${route}, rule ${rule}?`, does, title, verb === 'abort')
  if (!sure) return
  try {
    await ask(`/v1/rollouts/${route}/${rule}`, { action: verb })
    say(`${title}: done.`, false)
  } catch (error) {
    say(`${title}: ${error instanceof Error ? error.message : String(error)}`, true)
  }
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let silence
/**
 * Tells what came of something, to be seen and heard.
 * @param {string} text
 * @param {boolean} bad
 */
function say(text, bad) {
  const said = at('said')
  said.className = bad ? 'said bad' : 'said'
  said.textContent = text
  clearTimeout(silence)
  silence = setTimeout(
    () => {
      said.className = 'unseen'
      said.textContent = ''
    },
    bad ? 15_000 : 5000,
  )
}

function help() {
  const dialog = helpDialog()
  document.body.append(dialog)
  dialog.showModal()
}

let afterG = 0
/** @param {KeyboardEvent} event */
function keys(event) {
  const { key, target } = event
  const field = target instanceof HTMLInputElement ? target : undefined
  if (field && key === 'Escape') {
    if (field.value === '') return field.blur()
    field.value = ''
    field.dispatchEvent(new Event('input', { bubbles: true }))
  }
  if (field && field.type === 'search' && (key === 'ArrowDown' || key === 'Enter')) {
    event.preventDefault()
    return view?.list?.focus()
  }
  if (field || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return
  const screen = SCREENS.find(([, , letter]) => letter === key)
  if (event.timeStamp - afterG < 1500 && screen) location.hash = `#/${screen[0]}`
  afterG = key === 'g' ? event.timeStamp : 0
  if (key === '?') return help()
  if (key === '/') {
    event.preventDefault()
    document.querySelector('input')?.focus()
  }
  if (key === 'u' && location.hash.split('/').length > 2) location.hash = location.hash.split('/').slice(0, 2).join('/')
}

addEventListener('hashchange', () => {
  if (!location.hash.startsWith('#/')) return
  show()
  // Who reads by ear or goes by keys begins at the new screen's beginning.
  at('main').focus({ preventScroll: true })
})
addEventListener('keydown', keys)
at('help').addEventListener('click', help)
at('leave').addEventListener('click', () => leave(''))
setInterval(pulse, 1000)
show()
pulse()
void connect()
