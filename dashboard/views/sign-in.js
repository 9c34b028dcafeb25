import { h } from '../dom.js'

/**
 * Asks for a token. `message`: why there is none, or not that one.
 * @param {string} message
 * @param {string} namespace
 * @param {(token: string, namespace: string) => void} enter
 */
export function signInView(message, namespace, enter) {
  const token = h('input', {
    id: 'token',
    name: 'token',
    type: 'password',
    required: true,
    autocomplete: 'off',
    spellcheck: false,
    'aria-describedby': 'token-help',
  })
  const where = h('input', {
    id: 'namespace',
    name: 'namespace',
    type: 'text',
    value: namespace,
    placeholder: 'all',
    autocomplete: 'off',
    spellcheck: false,
    'aria-describedby': 'namespace-help',
  })
  const submit = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault()
    enter(token.value.trim().replace(/^Bearer +/i, ''), where.value.trim())
  }
  return {
    title: 'Sign in',
    element: h(
      'div',
      { class: 'screen flow' },
      h(
        'form',
        { class: 'card sign-in', onsubmit: submit },
        h('h1', {}, 'Sign in'),
        h(
          'p',
          {},
          'The cluster’s API server says who you are and what you may do. The token stays in this tab, and goes when it is closed.',
        ),
        message !== '' && h('p', { class: 'stale', role: 'alert' }, message),
        h('label', { for: 'token' }, 'Bearer token'),
        token,
        h(
          'p',
          { class: 'hint', id: 'token-help' },
          'Such as one of a ServiceAccount that may list sidecars.tradewind.dev:',
        ),
        h('pre', {}, h('code', {}, 'kubectl create token NAME --namespace NAMESPACE')),
        h('label', { for: 'namespace' }, 'Namespace'),
        where,
        h('p', { class: 'hint', id: 'namespace-help' }, 'Only where you have no rights in all of them.'),
        h('button', { type: 'submit', class: 'primary' }, 'Sign in'),
      ),
      h(
        'details',
        { class: 'card' },
        h('summary', {}, 'How to get here from your own machine'),
        h(
          'pre',
          {},
          h('code', {}, 'kubectl port-forward --namespace tradewind-system service/tradewind-operator 8443'),
        ),
        h(
          'p',
          {},
          'and open https://localhost:8443/. Rights are given by RBAC: list sidecars, list and watch rollouts, and pause, resume, promote, abort, retry rollouts, in group tradewind.dev.',
        ),
      ),
    ),
    update() {},
    focus: () => token.focus(),
  }
}
