/** @typedef {Node | string | number | null | undefined | false} Child */
/** @typedef {string | number | boolean | null | undefined | Record<string, string> | ((event: never) => unknown)} Prop */

const SVG = 'http://www.w3.org/2000/svg'

/**
 * Makes an element. Of `props`, `class` and names with `-` become attributes, `on…` listeners, `style` properties of its style; the rest are
 * its own properties. Text is always text: nothing is read as HTML.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, Prop>} [props]
 * @param {...Child} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(props)) set(element, name, value)
  element.append(...shown(children))
  return element
}

/**
 * Makes an element of SVG; `props` are attributes.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string | number>} [props]
 * @param {...Child} children
 * @returns {SVGElementTagNameMap[T]}
 */
export function svg(tag, props = {}, ...children) {
  const element = document.createElementNS(SVG, tag)
  for (const [name, value] of Object.entries(props)) element.setAttribute(name, String(value))
  element.append(...shown(children))
  return element
}

/**
 * Puts children in the place of those that an element has.
 * @param {Element} element
 * @param {...Child} children
 */
export function fill(element, ...children) {
  element.replaceChildren(...shown(children))
}

/**
 * The element of the page with that id, which is in index.html.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function at(id) {
  const element = document.getElementById(id)
  if (!element) throw new Error(`there is no #${id}`)
  return element
}

/** @param {Child[]} children */
const shown = (children) =>
  children.flatMap((it) =>
    it === null || it === undefined || it === false ? [] : [typeof it === 'number' ? `${it}` : it],
  )

/**
 * @param {HTMLElement} element
 * @param {string} name
 * @param {Prop} value
 */
function set(element, name, value) {
  if (value === undefined || value === null || value === false) return
  if (typeof value === 'function') element.addEventListener(name.slice(2), /** @type {EventListener} */ (value))
  else if (typeof value === 'object') for (const [key, of] of Object.entries(value)) element.style.setProperty(key, of)
  else if (name === 'class') element.className = `${value}`
  else if (name.includes('-') || name === 'role' || name === 'for') element.setAttribute(name, `${value}`)
  else Reflect.set(element, name, value)
}
