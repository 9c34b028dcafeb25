import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Screen } from './screen.ts'

const escape = '\u001b'

/** What a terminal shows, line by line, of what was written to it: as far as `Screen` uses one. */
function shown(written: string): readonly string[] {
  const lines = ['']
  let row = 0
  const control = new RegExp(`${escape}\\[(\\??\\d*)([A-Za-z])|\\r|\\n|[^${escape}\\r\\n]+`, 'g')
  let column = 0
  for (const [text, count, command] of written.matchAll(control)) {
    if (command === 'A') row -= Number(count)
    else if (command === 'J') lines.splice(row, Infinity, (lines[row] ?? '').slice(0, column))
    else if (text === '\r') column = 0
    else if (text === '\n') {
      row++
      column = 0
      lines[row] ??= ''
    } else if (command === undefined) {
      const before = lines[row] ?? ''
      lines[row] = before.slice(0, column) + text + before.slice(column + text.length)
      column += text.length
    }
  }
  return lines
}

test('screen: each text takes the place of the one before, whether it is longer or shorter', () => {
  let written = 'before\n'
  const screen = new Screen({ columns: 20, rows: 10, write: (text) => (written += text) })
  screen.draw('one\ntwo\nthree\n')
  assert.deepEqual(shown(written), ['before', 'one', 'two', 'three', ''])
  screen.draw('four\n')
  assert.deepEqual(shown(written), ['before', 'four', ''])
  screen.draw('five\nsix\n')
  assert.deepEqual(shown(written), ['before', 'five', 'six', ''])
  screen.close()
  assert.ok(written.startsWith(`before\n${escape}[?25l`), 'the cursor is hidden')
  assert.ok(written.endsWith(`${escape}[?25h`), 'and given back')
})

test('screen: what is wider or longer than the terminal is cut, and counts as it is drawn', () => {
  let written = ''
  const screen = new Screen({ columns: 8, rows: 3, write: (text) => (written += text) })
  screen.draw(`${escape}[1mshort${escape}[22m\nmuch too long\nbelow\n`)
  assert.deepEqual(shown(written).slice(1), ['much to…', ''])
  assert.match(written, /\[1mshort/, 'what fits keeps its colours')
  screen.draw('a\nb\n')
  assert.deepEqual(shown(written), ['a', 'b', ''])
})

test('screen: nothing is written to a terminal on which nothing was drawn', () => {
  let written = ''
  new Screen({ columns: 8, rows: 3, write: (text) => (written += text) }).close()
  assert.equal(written, '')
})
