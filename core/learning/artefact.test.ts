import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { ArtefactError } from './artefact-error.ts'
import type { Parts } from './artefact.ts'
import { readArtefact, writeArtefact } from './artefact.ts'
import { sigmoid } from './head.ts'
import { MOST_BYTES, pack, unpack } from './container.ts'
import { DENSE } from './dense.ts'
import { featureReader, standardised } from './features.ts'
import { seeded } from './random.ts'

const random = seeded(7)
const head = (model: string, buckets: number): Parts['heads'][number] => ({
  model,
  weights: Float32Array.from({ length: buckets }, () => (random() < 0.9 ? 0 : 4 * random() - 2)),
  dense: Float32Array.from(DENSE, () => random() - 0.5),
  bias: 0.3,
  calibration: { kind: 'platt', a: 1, b: 0 },
})
const parts: Parts = {
  textRule: 'Conversation',
  provenance: { data: 'ab', date: '2026-01-01T00:00:00.000Z', version: '1.0.0', rows: 10, seed: 1, bar: 0.5 },
  standard: { mean: DENSE.map(() => 0.2), deviation: DENSE.map(() => 2) },
  heads: [head('small', 2 ** 12), head('large', 2 ** 12)],
  sections: new Map([['novelty', Uint8Array.of(1, 2, 3)]]),
}
const bytes = writeArtefact(parts)

test('artefact: what is read is what was written, and the same parts give the same bytes', () => {
  const artefact = readArtefact(bytes)
  assert.deepEqual(artefact.models, ['small', 'large'])
  assert.equal(artefact.textRule, 'Conversation')
  assert.deepEqual(artefact.provenance, parts.provenance)
  assert.deepEqual([...artefact.sections], [...parts.sections])
  assert.match(artefact.hash, /^[0-9a-f]{64}$/)
  assert.deepEqual(writeArtefact(parts), bytes)
})

test('artefact: quality is what the heads say with full weights, within what a byte per weight loses', () => {
  const artefact = readArtefact(bytes)
  const read = featureReader()
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), (text) => {
      const quality = artefact.quality(text)
      const { ngrams, dense } = read(text)
      for (const [at, { weights, dense: own, bias }] of parts.heads.entries()) {
        let logit = bias
        for (let entry = 0; entry < ngrams.size; entry++)
          logit += (weights[(ngrams.index[entry] ?? 0) >>> 6] ?? 0) * (ngrams.value[entry] ?? 0)
        for (let column = 0; column < DENSE.length; column++)
          logit += (own[column] ?? 0) * standardised(parts.standard, column, dense[column] ?? 0)
        assert.ok(Math.abs((quality[at] ?? 0) - sigmoid(logit)) < 0.02)
      }
    }),
  )
})

test('artefact: what it said of one text stays after it has read another', () => {
  const artefact = readArtefact(bytes)
  const first = artefact.quality('one text')
  const kept = [...first]
  artefact.quality('and another one')
  assert.deepEqual([...first], kept)
  assert.deepEqual([...artefact.quality('one text')], kept)
})

test('artefact: cut off anywhere, or with any byte changed, it is refused by an ArtefactError', () => {
  fc.assert(
    fc.property(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
      assert.throws(() => readArtefact(bytes.subarray(0, at)), ArtefactError)
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ change
      assert.throws(() => readArtefact(changed), ArtefactError)
    }),
  )
})

test('artefact: any bytes are refused by an ArtefactError, in words that say what is wrong', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (any) => assert.throws(() => readArtefact(any), ArtefactError)),
  )
  const older = Uint8Array.from(bytes)
  older[4] = 9
  assert.throws(() => readArtefact(older), /format 9; this version reads format 1/)
  assert.throws(() => readArtefact(bytes.subarray(0, -1)), /SHA-256 differs/)
  assert.throws(() => readArtefact(new Uint8Array(100)), /does not begin as one/)
})

test('artefact: a well-hashed container with any other head is refused by an ArtefactError', () => {
  const { header, sections } = unpack(bytes)
  const known = header as Record<string, unknown> // it was just written
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(known)), fc.jsonValue(), (field, value) => {
      const other = pack({ header: { ...known, [field]: value }, sections })
      try {
        readArtefact(other)
      } catch (error) {
        assert.ok(error instanceof ArtefactError, String(error))
      }
    }),
  )
  fc.assert(
    fc.property(fc.jsonValue(), (value) =>
      assert.throws(() => readArtefact(pack({ header: value, sections })), ArtefactError),
    ),
  )
  assert.throws(() => readArtefact(pack({ header, sections: new Map() })), /power of two of buckets/)
})

test('artefact: a few KiB that would unpack to more than 16 MiB are refused, however well they are hashed', () => {
  const container = (size: number): Uint8Array => {
    const head = Buffer.from(JSON.stringify({ header: 'zeros', sections: [{ name: 'zeros', length: size }] }))
    const length = Buffer.alloc(4)
    length.writeUInt32LE(head.length)
    const body = deflateRawSync(Buffer.concat([length, head, Buffer.alloc(size)]))
    const format = Buffer.of(1, 0, 0, 0)
    return Buffer.concat([Buffer.from('TWRA'), format, createHash('sha256').update(body).digest(), body])
  }
  assert.equal(unpack(container(15 * 2 ** 20)).sections.get('zeros')?.length, 15 * 2 ** 20)
  assert.throws(() => unpack(container(16 * 2 ** 20)), ArtefactError)
})

test('artefact: one that no ConfigMap takes is refused where it is written', () => {
  const noise = Uint8Array.from({ length: MOST_BYTES }, () => 256 * random())
  assert.throws(() => writeArtefact({ ...parts, sections: new Map([['noise', noise]]) }), /more than the 900 KiB/)
})
