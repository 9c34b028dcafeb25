/** @typedef {{ name: string, data: string }} Event */

/**
 * Reads Server-Sent Events (WHATWG HTML, 9.2) from texts that may end anywhere. `take` gives the events that have ended with it.
 */
export class EventReader {
  #rest = ''
  #name = ''
  /** @type {string[]} */
  #data = []

  /**
   * @param {string} text
   * @returns {Event[]}
   */
  take(text) {
    /** @type {Event[]} */
    const events = []
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length > 0) events.push({ name: this.#name || 'message', data: this.#data.join('\n') })
        this.#name = ''
        this.#data = []
      } else if (line.startsWith('event:')) this.#name = line.slice(6).trim()
      else if (line.startsWith('data:')) this.#data.push(line.slice(5).replace(/^ /, ''))
    }
    return events
  }
}

/** An answer that is no stream: what it says is wrong. */
export class Denied extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/** So long may a stream be silent, ms: every 15 s it says at least that it lives. */
const SILENCE = 35_000

/**
 * Follows one stream until it ends; `hear` is given its events, and undefined for a sign of life. By fetch, since an EventSource cannot send
 * a token. Rejects with `Denied` where there is none.
 * @param {string} path
 * @param {Record<string, string>} headers
 * @param {AbortSignal} signal
 * @param {(event: Event | undefined) => void} hear
 */
export async function follow(path, headers, signal, hear) {
  const silent = new AbortController()
  const either = AbortSignal.any([signal, silent.signal])
  const answer = await fetch(path, { headers, signal: either, cache: 'no-store' })
  if (!answer.ok || !answer.body) throw await denied(answer)
  let timer = setTimeout(() => silent.abort(), SILENCE)
  try {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    const events = new EventReader()
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      clearTimeout(timer)
      timer = setTimeout(() => silent.abort(), SILENCE)
      hear(undefined)
      for (const event of events.take(value)) hear(event)
    }
  } finally {
    clearTimeout(timer)
  }
}

/**
 * What an answer that is not 200 says is wrong.
 * @param {Response} answer
 */
export async function denied(answer) {
  const text = await answer.text().catch(() => '')
  try {
    return new Denied(answer.status, JSON.parse(text).error.message)
  } catch {
    return new Denied(answer.status, text.slice(0, 300) || `The server answered ${answer.status}.`)
  }
}
