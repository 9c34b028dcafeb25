import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { load } from 'js-yaml'
import { readArtefact } from '../../core/learning/artefact.ts'
import { seeded } from '../../core/learning/random.ts'
import { runProgram } from '../helpers/command.ts'

const root = join(import.meta.dirname, '../..')
const directory = mkdtempSync(join(tmpdir(), 'tradewind-train-'))
after(() => rmSync(directory, { recursive: true }))

const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  runProgram(process.execPath, ['cli/main.ts', 'train', ...args], { cwd: root, env })

/** Ratings of two models: the small one fails at proofs. */
function ratings(rows: number): string {
  const random = seeded(5)
  const lines = ['prompt,task,quality:small,quality:large']
  for (let row = 0; row < rows; row++) {
    const hard = random() < 0.15
    const name = Math.floor(random() * 1e9).toString(36)
    const prompt = hard
      ? `Prove, step by step, the lemma ${name} of row ${row}.`
      : `Say hello to ${name}, guest ${row}.`
    const small = random() < (hard ? 0.1 : 0.98) ? 0.95 : 0.2
    lines.push(`"${prompt}",${hard ? 'proofs' : 'greetings'},${small},${random() < 0.97 ? 0.95 : 0.3}`)
  }
  return lines.join('\n')
}
const file = join(directory, 'ratings.csv')
writeFileSync(file, ratings(6000))
const costs = ['--cost', 'small=1', '--cost', 'large=20']

test('train: a CSV of ratings becomes a ConfigMap whose artefact tells hard prompts from easy ones, and a report', async () => {
  const { code, stdout, stderr } = await run([
    file,
    '--name',
    'hello',
    '--output',
    directory,
    '--date',
    '2026-01-31',
    ...costs,
  ])
  assert.equal(stderr, '')
  assert.equal(code, 0)
  assert.match(stdout, /cost cut at 98 % of large’s quality: [6-9]\d\.\d % \(.*\); random mixing \d+\.\d %, oracle/)
  assert.match(stdout, /small: promised: at least 98\.0 % of the quality/)
  assert.match(stdout, /kubectl apply --server-side -f .*hello\.yaml/)
  // The document that was just written.
  const manifest = load(readFileSync(join(directory, 'hello.yaml'), 'utf8')) as {
    readonly kind: string
    readonly metadata: { readonly name: string; readonly labels: unknown }
    readonly binaryData: { readonly artefact: string }
  }
  assert.equal(manifest.kind, 'ConfigMap')
  assert.equal(manifest.metadata.name, 'hello')
  assert.deepEqual(manifest.metadata.labels, { 'tradewind.dev/use': 'artefact' })
  const artefact = readArtefact(Buffer.from(manifest.binaryData.artefact, 'base64'))
  assert.deepEqual(artefact.models, ['large', 'small'])
  assert.equal(artefact.provenance.date, '2026-01-31T00:00:00.000Z')
  // Of many, since one prompt's own letters sway what is said of it.
  const mean = (text: (at: number) => string): number => {
    const each = Array.from({ length: 40 }, (_, at) => artefact.quality(text(at))[1] ?? Number.NaN)
    return each.reduce((sum, quality) => sum + quality, 0) / each.length
  }
  const easy = mean((at) => `Say hello to ${(at * 7919).toString(36)}, guest ${at * 31}.`)
  const hard = mean((at) => `Prove, step by step, the lemma ${(at * 7919 + 1e6).toString(36)} of row ${at * 31}.`)
  assert.ok(easy > 0.85 && hard < 0.3, `${easy} ${hard}`)
  const page = readFileSync(join(directory, 'hello.html'), 'utf8')
  assert.match(page, /<svg[^>]*aria-label="quality over cost"/)
  assert.match(page, /aria-label="calibration of small"/)
  assert.doesNotMatch(page, /(src|href)=|url\(|@import|NaN/)
})

test('train: the same data, seed and date give the same files; the date alone changes the artefact', async () => {
  const made = async (name: string, args: readonly string[], env?: NodeJS.ProcessEnv): Promise<string> => {
    const { code } = await run([file, '--name', 'same', '--output', join(directory, name), ...costs, ...args], env)
    assert.equal(code, 0)
    const hash = createHash('sha256')
    for (const end of ['yaml', 'html']) hash.update(readFileSync(join(directory, name, `same.${end}`)))
    return hash.digest('hex')
  }
  const first = await made('a', ['--date', '2026-01-31'])
  assert.equal(await made('b', [], { SOURCE_DATE_EPOCH: String(Date.UTC(2026, 0, 31) / 1000) }), first)
  assert.notEqual(await made('c', ['--date', '2026-02-01']), first)
})

test('train: each segment has its promise or its refusal', async () => {
  const { code, stdout } = await run([file, '--segment', 'task', '--output', directory, ...costs])
  assert.equal(code, 0)
  assert.match(stdout, /small in greetings: promised/)
  assert.match(stdout, /not promised \(too-few-rows\): small in proofs/)
})

test('train: what cannot be trained ends with one line that says what to do, and exit code 1', async () => {
  const other = (name: string, text: string): string => {
    const path = join(directory, name)
    writeFileSync(path, text)
    return path
  }
  const head = 'prompt,quality:small,quality:large\n'
  for (const [args, message] of [
    [[join(directory, 'none.csv')], /none\.csv cannot be read: .*ENOENT/],
    [[other('bad.csv', `${head}hello,1,2\n`)], /bad\.csv:2: column "quality:large": it must be a number from 0 to 1/],
    [
      [other('few.csv', `${head}${Array.from({ length: 40 }, (_, at) => `hi ${at},1,0`).join('\n')}`)],
      /it needs 10 of each/,
    ],
    [
      [other('one.csv', `prompt,quality:m\n${Array.from({ length: 40 }, (_, at) => `hi ${at},1`).join('\n')}`)],
      /only one model, m/,
    ],
    [[file, '--cost', 'small=1'], /--cost must name all models or none; it lacks large/],
    [[file, '--cost', 'tiny=1'], /--cost names tiny, which no row speaks of/],
    [[other('not.csv.gz', 'plain')], /not\.csv\.gz cannot be read/],
  ] as const) {
    const { code, stderr, stdout } = await run([...args, '--output', directory])
    assert.equal(code, 1, stderr)
    assert.match(stderr, message)
    assert.equal(stderr.trim().split('\n').length, 1)
    assert.equal(stdout, '')
  }
  for (const args of [
    ['--bar', '2'],
    ['--cost', 'small'],
    ['--name', 'No Name'],
    ['--date', 'soon'],
    ['--text', 'First'],
  ])
    assert.equal((await run([file, ...args])).code, 2)
})
