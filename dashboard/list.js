import { fill, h } from './dom.js'
import { counted } from './format.js'

/**
 * @template R
 * @typedef {object} Column
 * @property {string} title
 * @property {string} [class]
 * @property {(row: R) => import('./dom.js').Child | import('./dom.js').Child[]} cell
 * @property {(row: R) => string} [of] what the cell shows, for one that is more than a text: it is made anew where this differs
 * @property {(row: R) => string | number | null | undefined} [sort] by this the list can be sorted; nothing known comes last
 * @property {boolean} [down] whether the greatest comes first when it is clicked
 */

/**
 * @template R
 * @typedef {{ tr: HTMLTableRowElement, row: R, also: unknown, shown: (string | undefined)[] }} Drawn
 */

/** Height of a row, px; style.css says the same. */
const ROW = 44
/** Rows that are there beyond those in sight. */
const SPARE = 8

/**
 * A table of any length, of which only the rows in sight are in the document. The first column's cell has the row's link; arrow keys go from
 * link to link. Rows that are the same object as before are left alone, where `also` gives the same for them too.
 * @template R
 */
export class List {
  /** @type {HTMLElement} */
  element
  /** @type {readonly Column<R>[]} */
  #columns
  /** @type {(row: R) => string} */
  #key
  /** @type {R[]} */
  #rows = []
  /** @type {(row: R) => unknown} */
  #also
  /** @type {Map<string, Drawn<R>>} */
  #drawn = new Map()
  /** @type {{ column: number, down: boolean }} */
  #order
  #table
  #body
  #above
  #below
  #empty
  /** @type {HTMLTableCellElement[]} */
  #heads = []
  /** @type {readonly R[]} */
  #given = []

  /**
   * @param {{ label: string, columns: readonly Column<R>[], key: (row: R) => string, also?: (row: R) => unknown, order?: { column: number, down: boolean } }} options
   */
  constructor({ label, columns, key, also = () => undefined, order = { column: 0, down: false } }) {
    this.#columns = columns
    this.#key = key
    this.#also = also
    this.#order = order
    const spacer = () => h('tr', { class: 'spacer', 'aria-hidden': 'true' }, h('td', { colSpan: columns.length }))
    this.#above = spacer()
    this.#below = spacer()
    this.#body = h('tbody', {}, this.#above, this.#below)
    this.#heads = columns.map((column, at) => this.#head(column, at))
    this.#table = h(
      'table',
      { 'aria-label': label },
      h('thead', {}, h('tr', { 'aria-rowindex': '1' }, ...this.#heads)),
      this.#body,
    )
    this.#empty = h('div', { class: 'empty', hidden: true })
    const draw = () => this.#draw()
    this.element = h(
      'div',
      { class: 'list', onscroll: draw, onkeydown: (/** @type {KeyboardEvent} */ event) => this.#keys(event) },
      this.#table,
      this.#empty,
    )
    new ResizeObserver(draw).observe(this.element)
    this.#showOrder()
  }

  /**
   * @param {readonly R[]} rows
   * @param {import('./dom.js').Child} empty what is shown where there are none
   */
  show(rows, empty) {
    this.#given = rows
    this.#sort()
    this.#empty.hidden = rows.length > 0
    this.#table.hidden = rows.length === 0
    if (rows.length === 0) fill(this.#empty, empty)
    this.#draw()
  }

  /** Puts the focus on a row in sight, such as for somebody who comes from the search. */
  focus() {
    this.#go(Math.floor(this.element.scrollTop / ROW))
  }

  #sort() {
    const { column, down } = this.#order
    const value = this.#columns[column]?.sort
    const sign = down ? -1 : 1
    this.#rows = value
      ? this.#given
          .map((row) => ({ row, by: value(row), key: this.#key(row) }))
          .sort((a, b) => {
            if (a.by === b.by) return a.key < b.key ? -1 : 1
            if (a.by === null || a.by === undefined) return 1
            if (b.by === null || b.by === undefined) return -1
            return a.by < b.by ? -sign : sign
          })
          .map(({ row }) => row)
      : [...this.#given]
  }

  #draw() {
    const { scrollTop, clientHeight } = this.element
    const first = Math.max(0, Math.floor(scrollTop / ROW) - SPARE)
    const last = Math.min(this.#rows.length, Math.ceil((scrollTop + clientHeight) / ROW) + SPARE)
    this.#table.setAttribute('aria-rowcount', `${this.#rows.length + 1}`)
    const wanted = this.#rows.slice(first, last)
    const keys = new Set(wanted.map(this.#key))
    for (const [key, { tr }] of this.#drawn)
      if (!keys.has(key)) {
        tr.remove()
        this.#drawn.delete(key)
      }
    this.#above.style.height = `${first * ROW}px`
    this.#below.style.height = `${(this.#rows.length - last) * ROW}px`
    /** @type {Element} */
    let before = this.#above
    for (const [index, row] of wanted.entries()) {
      const tr = this.#row(row)
      const place = `${first + index + 2}`
      if (tr.getAttribute('aria-rowindex') !== place) tr.setAttribute('aria-rowindex', place)
      // Moving an element takes the focus from it: only where it has to.
      if (before.nextElementSibling !== tr) before.after(tr)
      before = tr
    }
  }

  /** @param {R} row */
  #row(row) {
    const key = this.#key(row)
    const known = this.#drawn.get(key)
    const also = this.#also(row)
    if (known?.row === row && known.also === also) return known.tr
    if (known) {
      // The link stays: somebody may be on it.
      for (const [at, column] of this.#columns.entries()) if (at > 0) this.#cell(known, at, column, row)
      known.row = row
      known.also = also
      return known.tr
    }
    const tr = h(
      'tr',
      {},
      ...this.#columns.map((column, at) =>
        h(
          at === 0 ? 'th' : 'td',
          { class: column.class, ...(at === 0 ? { scope: 'row' } : {}) },
          ...[column.cell(row)].flat(),
        ),
      ),
    )
    this.#drawn.set(key, { tr, row, also, shown: [] })
    return tr
  }

  /**
   * Shows a cell anew, where it shows something else now.
   * @param {Drawn<R>} drawn
   * @param {number} at
   * @param {Column<R>} column
   * @param {R} row
   */
  #cell({ tr, shown }, at, column, row) {
    const cell = tr.cells[at]
    const told = column.of?.(row)
    if (!cell || (told !== undefined && told === shown[at])) return
    const made = [column.cell(row)].flat()
    const [first] = made
    const now = told ?? (typeof first === 'string' ? first : undefined)
    if (now !== undefined && now === shown[at]) return
    shown[at] = now
    fill(cell, ...made)
  }

  /**
   * @param {Column<R>} column
   * @param {number} at
   */
  #head(column, at) {
    if (!column.sort) return h('th', { scope: 'col', class: column.class }, column.title)
    const click = () => {
      this.#order = { column: at, down: this.#order.column === at ? !this.#order.down : column.down === true }
      this.#showOrder()
      this.#sort()
      this.#draw()
    }
    return h(
      'th',
      { scope: 'col', class: column.class },
      h('button', { type: 'button', class: 'sort', onclick: click }, column.title),
    )
  }

  #showOrder() {
    for (const [at, head] of this.#heads.entries())
      if (at === this.#order.column) head.setAttribute('aria-sort', this.#order.down ? 'descending' : 'ascending')
      else head.removeAttribute('aria-sort')
  }

  /** @param {KeyboardEvent} event */
  #keys(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return
    const tr = event.target instanceof Element ? event.target.closest('tbody tr') : null
    if (!tr) return
    const now = Number(tr.getAttribute('aria-rowindex')) - 2
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW) - 2)
    /** @type {Record<string, number>} */
    const moves = {
      ArrowDown: now + 1,
      j: now + 1,
      ArrowUp: now - 1,
      k: now - 1,
      PageDown: now + page,
      PageUp: now - page,
      Home: 0,
      End: this.#rows.length - 1,
    }
    const to = moves[event.key]
    if (to === undefined) return
    event.preventDefault()
    this.#go(to)
  }

  /** @param {number} index */
  #go(index) {
    const to = Math.max(0, Math.min(this.#rows.length - 1, index))
    const row = this.#rows[to]
    if (row === undefined) return
    const { element } = this
    const head = ROW
    if (to * ROW < element.scrollTop) element.scrollTop = to * ROW
    if ((to + 1) * ROW + head > element.scrollTop + element.clientHeight)
      element.scrollTop = (to + 1) * ROW + head - element.clientHeight
    this.#draw()
    this.#drawn.get(this.#key(row))?.tr.querySelector('a')?.focus({ preventScroll: true })
  }
}

/**
 * A search field over a list, with how many it leaves.
 * @param {string} label
 * @param {(words: string) => void} changed
 */
export function search(label, changed) {
  /** @type {HTMLInputElement} */
  const input = h('input', {
    type: 'search',
    placeholder: label,
    'aria-label': label,
    'aria-keyshortcuts': '/',
    oninput: () => changed(input.value.trim().toLowerCase()),
    autocomplete: 'off',
    spellcheck: false,
  })
  const found = h('span', { class: 'found', role: 'status' })
  return {
    element: h('div', { class: 'search' }, input, found),
    /**
     * @param {number} shown
     * @param {number} all
     * @param {string} noun
     */
    tell(shown, all, noun) {
      const text = shown === all ? counted(all, noun) : `${shown} of ${counted(all, noun)}`
      if (found.textContent !== text) found.textContent = text
    },
  }
}
