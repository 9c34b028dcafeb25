import assert from 'node:assert/strict'
import { test } from 'node:test'
import { documents, YamlError } from './yaml.ts'

const text = `# two
kind: A
spec:
  rules:
  - name: one
    targets: [{ weight: 1 }, { weight: 2 }]
  - targets:
    - weight: 3
  set: { "x.y": 1 }
---
---
kind: B
on: &a { k: v }
other: *a
`
const [first, second] = documents(text)

test('yaml: every document with content, as the tools of Kubernetes read it', () => {
  assert.equal(documents(text).length, 2)
  assert.deepEqual(second?.value, { kind: 'B', true: { k: 'v' }, other: { k: 'v' } })
  assert.deepEqual(documents('a: yes\nb: n\nc: 0777\nd: "on"\ne: 2001-01-01\nf: ~')[0]?.value, {
    a: true,
    b: false,
    c: 511,
    d: 'on',
    e: '2001-01-01',
    f: null,
  })
})

test('yaml: a field has the position of its key, an item that of its beginning, what is missing that of the nearest around it', () => {
  const positions = {
    '': [2, 1],
    kind: [2, 1],
    'spec.rules[0].targets[1].weight': [6, 32],
    'spec.rules[1].targets[0].weight': [8, 7],
    'spec.rules[1].targets[0]': [8, 7],
    'spec.rules[1].retry.when[3]': [7, 5],
    'spec.rules[7]': [4, 3],
    'spec.set.x.y': [9, 10],
    'spec.nothing': [3, 1],
  }
  for (const [path, [line, column]] of Object.entries(positions))
    assert.deepEqual(first?.position(path), { line, column }, path)
  assert.deepEqual(second?.position('other.k'), { line: 14, column: 1 })
})

test('yaml: what is no YAML, and a key that stands twice, say where', () => {
  for (const [bad, message, position] of [
    ['a: [1\nb: 2', /indentation/, { line: 2, column: 1 }],
    ['a: 1\nb: 2\na: 3', /duplicated mapping key/, { line: 3, column: 1 }],
  ] as const)
    assert.throws(
      () => documents(bad),
      (error) => {
        assert.ok(error instanceof YamlError)
        assert.match(error.message, message)
        assert.deepEqual(error.position, position)
        return true
      },
    )
})
