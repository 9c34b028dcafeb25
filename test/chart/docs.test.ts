import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { load } from 'js-yaml'
import { REASONS } from '../../api/conditions.ts'
import { errors } from '../../core/errors.ts'
import { needs, serverPath } from '../helpers/needs.ts'
import { runProgram } from '../helpers/program.ts'
import { chart, defaults, leaves, schemaOf, template, valueAt, type Values } from './chart.ts'

const skip = needs('helm')
const docs = join(import.meta.dirname, '../../docs')
const install = readFileSync(join(docs, 'install.md'), 'utf8')

test('docs: the table of values is the schema’s (UPDATE=1 writes it)', () => {
  const values = defaults()
  const rows = leaves(values).map((path) => {
    const value = valueAt(values, path)
    const shown = value === '' ? '' : `\`${JSON.stringify(value)}\``
    return `| \`${path}\` | ${shown} | ${schemaOf(path).description ?? ''} |`
  })
  const table = ['<!-- values -->', '| value | default | what it does |', '|---|---|---|', ...rows, '<!-- /values -->']
  const written = install.replace(/<!-- values -->[^]*<!-- \/values -->/, () => table.join('\n'))
  if (process.env['UPDATE']) writeFileSync(join(docs, 'install.md'), written)
  else assert.equal(install, written)
})

/** The fenced blocks of install.md in that language. */
const blocks = (language: string) =>
  [...install.matchAll(/^```(\w*)\n([^]*?)^```$/gm)].flatMap(([, of, text = '']) => (of === language ? [text] : []))

test('docs: the values that install.md shows are taken', { skip }, async () => {
  const examples = blocks('yaml')
  assert.ok(examples.length >= 2)
  for (const text of examples) assert.match(await template(load(text) as Values), /kind: Deployment/)
})

test('docs: the commands that install.md shows are taken', { skip }, async () => {
  const commands = blocks('').flatMap(
    (text) => text.replaceAll('\\\n', ' ').match(/^helm (install|upgrade) .*/gm) ?? [],
  )
  assert.ok(commands.length >= 3)
  for (const command of commands) {
    const settings = [...command.matchAll(/--set (?:'([^']+)'|(\S+))/g)].flatMap(([, quoted, plain]) => [
      '--set',
      quoted ?? plain ?? '',
    ])
    assert.match(await runProgram(serverPath('helm'), ['template', 'x', chart, ...settings]), /kind: Deployment/)
  }
})

test('docs: the runbook has every reason that something is wrong', () => {
  const runbook = readFileSync(join(docs, 'runbook.md'), 'utf8')
  const { accepted, resolvedRefs, programmed, healthy, promisesKept } = REASONS
  const good: readonly string[] = [accepted, resolvedRefs, programmed, healthy, promisesKept]
  const missing = Object.values(REASONS).filter(
    (reason) => !good.includes(reason) && !runbook.includes(`\`${reason}\``),
  )
  assert.deepEqual(missing, [])
})

test('docs: the runbook has every code of our own errors, and no other', () => {
  const [, part = ''] = readFileSync(join(docs, 'runbook.md'), 'utf8').split("## By the error's code")
  const codes = [...part.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell = '']) => cell.match(/[a-z_]+(?=`)/g) ?? [])
  const known = Object.entries<{ type: string; verdict?: string }>(errors)
  const unknown = codes.filter((code) => !known.some(([name]) => name === code))
  assert.deepEqual(unknown, [])
  const ours = known.filter(([, { type, verdict }]) => type !== 'invalid_request_error' && verdict === 'none')
  const missing = ours.flatMap(([name]) => (codes.includes(name) ? [] : [name]))
  assert.deepEqual(missing, [])
})
