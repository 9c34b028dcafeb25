import { h } from '../dom.js'

const KEYS = /** @type {const} */ ([
  ['g then r, o, e, s', 'Routes, Rollouts, Endpoints, Sidecars'],
  ['/', 'search'],
  ['↓ ↑ or j k', 'next and previous row'],
  ['Page Up, Page Down, Home, End', 'through a list'],
  ['Enter', 'open the row'],
  ['u', 'up, from one to the list'],
  ['Esc', 'close a dialog, clear the search'],
  ['?', 'this'],
])

/** What keys do, and what figures are. */
export function helpDialog() {
  /** @type {HTMLDialogElement} */
  const dialog = h(
    'dialog',
    { 'aria-labelledby': 'help-title', onclose: () => dialog.remove() },
    h('h2', { id: 'help-title' }, 'Keys'),
    h('dl', { class: 'keys' }, ...KEYS.flatMap(([key, does]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, does)])),
    h('h2', {}, 'Figures'),
    h(
      'p',
      {},
      'Requests a second are attempts, over 15 seconds; shares, errors, times and cost are of the last minute, as the sidecars report them. Times are what callers waited for an answer. “–” means that nothing is known. In a split, the upper bar is what is configured, the lower one what was observed.',
    ),
    h(
      'p',
      {},
      'Evidence of harm is an E-value: 1 says nothing; where it reaches what is needed, the canary is rolled back.',
    ),
    h('form', { method: 'dialog' }, h('button', { class: 'primary' }, 'Close')),
  )
  return dialog
}

/**
 * Asks before it does something. Resolves with whether to.
 * @param {string} title
 * @param {string} text
 * @param {string} yes
 * @param {boolean} danger
 * @returns {Promise<boolean>}
 */
export function confirm(title, text, yes, danger) {
  return new Promise((resolve) => {
    /** @type {HTMLDialogElement} */
    const dialog = h(
      'dialog',
      {
        'aria-labelledby': 'confirm-title',
        'aria-describedby': 'confirm-text',
        onclose: () => {
          dialog.remove()
          resolve(dialog.returnValue === 'yes')
        },
      },
      h('h2', { id: 'confirm-title' }, title),
      h('p', { id: 'confirm-text' }, text),
      h(
        'form',
        { method: 'dialog', class: 'buttons' },
        h('button', { value: 'no' }, 'Cancel'),
        h('button', { value: 'yes', class: danger ? 'danger' : 'primary' }, yes),
      ),
    )
    document.body.append(dialog)
    dialog.showModal()
  })
}
