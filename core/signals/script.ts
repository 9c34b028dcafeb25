/** Scripts by their names in Unicode and ISO 15924; `Japanese` and `Korean` are mixtures that have codes there too (Jpan, Kore). */
export const SCRIPTS = [
  'Latin',
  'Cyrillic',
  'Greek',
  'Hebrew',
  'Arabic',
  'Devanagari',
  'Bengali',
  'Tamil',
  'Telugu',
  'Thai',
  'Georgian',
  'Armenian',
  'Ethiopic',
  'Han',
  'Japanese',
  'Korean',
  'Other',
] as const
export type Script = (typeof SCRIPTS)[number]

/** Beginnings of blocks of the first plane, in order; what lies between two belongs to the lower one. https://www.unicode.org/Public/UCD/latest/ucd/Scripts.txt */
const BLOCKS: readonly (readonly [from: number, script: Script | undefined])[] = [
  [0x0000, undefined],
  [0x0041, 'Latin'],
  [0x005b, undefined],
  [0x0061, 'Latin'],
  [0x007b, undefined],
  [0x00c0, 'Latin'],
  [0x0250, 'Latin'],
  [0x02b0, undefined],
  [0x0370, 'Greek'],
  [0x0400, 'Cyrillic'],
  [0x0530, 'Armenian'],
  [0x0590, 'Hebrew'],
  [0x0600, 'Arabic'],
  [0x0700, 'Other'],
  [0x0750, 'Arabic'],
  [0x0780, 'Other'],
  [0x08a0, 'Arabic'],
  [0x0900, 'Devanagari'],
  [0x0980, 'Bengali'],
  [0x0a00, 'Other'],
  [0x0b80, 'Tamil'],
  [0x0c00, 'Telugu'],
  [0x0c80, 'Other'],
  [0x0e00, 'Thai'],
  [0x0e80, 'Other'],
  [0x10a0, 'Georgian'],
  [0x1100, 'Korean'],
  [0x1200, 'Ethiopic'],
  [0x13a0, 'Other'],
  [0x1e00, 'Latin'],
  [0x1f00, 'Greek'],
  [0x2000, undefined],
  [0x2c00, 'Other'],
  [0x2e00, undefined],
  [0x3041, 'Japanese'],
  [0x3100, 'Han'],
  [0x3130, 'Korean'],
  [0x3190, undefined],
  [0x3400, 'Han'],
  [0x4dc0, undefined],
  [0x4e00, 'Han'],
  [0xa000, 'Other'],
  [0xac00, 'Korean'],
  [0xd7b0, undefined],
  [0xf900, 'Han'],
  [0xfb00, undefined],
  [0xfb1d, 'Hebrew'],
  [0xfb50, 'Arabic'],
  [0xfe00, undefined],
  [0xfe70, 'Arabic'],
  [0xff00, undefined],
]

const NONE = 255
const HAN = SCRIPTS.indexOf('Han')
const JAPANESE = SCRIPTS.indexOf('Japanese')
const OTHER = SCRIPTS.indexOf('Other')

/** The script of each of the 65,536 units, a byte each: a search for every letter would take longer than all the rest. */
let table: Uint8Array | undefined
function scripts(): Uint8Array {
  if (table) return table
  table = new Uint8Array(0x10000)
  for (const [i, [from, script]] of BLOCKS.entries())
    table.fill(script === undefined ? NONE : SCRIPTS.indexOf(script), from, BLOCKS[i + 1]?.[0] ?? 0x10000)
  return table
}

/** Of long texts no more than this is looked at, UTF-16 units. */
const LOOKED_AT = 8192

/**
 * The script that most letters of a text are of; `Other` for a text without letters. Kana among ideographs make it Japanese: a tenth is
 * enough, since no Chinese text has any.
 */
export function scriptOf(text: string): Script {
  const of = scripts()
  const counts = new Uint32Array(SCRIPTS.length)
  const length = Math.min(text.length, LOOKED_AT)
  for (let at = 0; at < length; at++) {
    const script = of[text.charCodeAt(at)] ?? NONE
    if (script !== NONE) counts[script] = (counts[script] ?? 0) + 1
  }
  const kana = counts[JAPANESE] ?? 0
  const han = counts[HAN] ?? 0
  if (kana * 10 >= han && kana > 0) {
    counts[JAPANESE] = kana + han
    counts[HAN] = 0
  }
  let most = OTHER
  for (const [script, count] of counts.entries()) if (count > (counts[most] ?? 0)) most = script
  return SCRIPTS[most] ?? 'Other'
}
