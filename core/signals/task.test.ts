import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasCode } from './code.ts'
import { SCRIPTS, scriptOf } from './script.ts'
import type { Script } from './script.ts'
import { guessTask, taskOf } from './task.ts'
import type { GuessedTask } from './task.ts'

const tasks: readonly (readonly [task: GuessedTask, text: string])[] = [
  ['translation', 'Translate this into German: The cat sat on the mat.'],
  ['translation', 'How do you say "good morning" in Japanese?'],
  ['summarisation', 'Summarise the following article in three sentences.'],
  ['translation', 'Bitte übersetze das: The cat sat on the mat.'],
  ['chat', 'Who sat in the French parliament on 2026-11-21, and was it 24/7?'],
  ['chat', 'What belongs into a resume?'],
  ['summarisation', 'TL;DR please: …'],
  ['classification', 'Classify this review as positive or negative: I loved it.'],
  ['classification', 'What is the sentiment of "meh"?'],
  ['extraction', 'Extract all dates and amounts from this invoice.'],
  ['code', 'Write a Python function that reverses a list.'],
  ['code', 'Why does it fail?\n```js\nconst a = b => b.c()\n```'],
  ['math', 'Solve x^2 + 3*x = 10.'],
  [
    'math',
    'Natalia sold clips to 48 friends in April and half as many in May. How many did she sell altogether in both?',
  ],
  ['writing', 'Write a short poem about autumn.'],
  ['chat', 'Hello, how are you today?'],
  ['chat', 'What should I cook tonight?'],
]
for (const [task, text] of tasks) test(`task: ${task}: ${text.slice(0, 50)}`, () => assert.equal(guessTask(text), task))

const caller = {
  taskHeader: 'x-task',
  tasks: [
    { name: 'legal', matches: (text: string) => text.includes('contract') },
    { name: 'any', matches: (text: string) => text.includes('court') },
  ],
}
const none = () => undefined

test("task: the caller's word comes first, then the route's tasks in their order, then the guess", () => {
  assert.equal(
    taskOf(
      () => 'billing',
      () => 'Translate the contract into German',
      caller,
    ),
    'billing',
  )
  assert.equal(
    taskOf(none, () => 'Translate the contract for the court into German', caller),
    'legal',
  )
  assert.equal(
    taskOf(none, () => 'Which court?', caller),
    'any',
  )
  assert.equal(
    taskOf(none, () => 'Translate it into German', caller),
    'translation',
  )
  assert.equal(
    taskOf(
      () => '',
      () => 'Which court?',
      caller,
    ),
    'any',
    'an empty header says nothing',
  )
  for (const odd of ['a b', 'x'.repeat(64), 'ä', '-x', '"'])
    assert.equal(
      taskOf(
        () => odd,
        () => 'Which court?',
        caller,
      ),
      'any',
      odd,
    )
})

test("task: with the caller's word, no text is read", () => {
  assert.equal(
    taskOf(
      () => 'billing',
      () => assert.fail('it was read'),
      caller,
    ),
    'billing',
  )
})

const code: readonly (readonly [is: boolean, text: string])[] = [
  [true, 'def f(x):\n    return x + 1\nprint(f(2));'],
  [true, '#include <stdio.h>\nint main() { printf("x"); }'],
  [true, 'Look:\n```\nanything\n```'],
  [true, 'SELECT name FROM users WHERE id == 3;\nINSERT INTO users VALUES (1);'],
  [false, 'Please let me import a car from Japan; I have the papers.'],
  [false, 'My class starts at nine. We return at five (or later).'],
  [false, ''],
]
for (const [is, text] of code)
  test(`code: ${is ? 'is' : 'is no'} code: ${text.slice(0, 30)}`, () => assert.equal(hasCode(text), is))

const scripts: readonly (readonly [script: Script, text: string])[] = [
  ['Latin', 'What is 2 + 2? Ça va, Übung.'],
  ['Cyrillic', 'Что такое API?'],
  ['Greek', 'Τι είναι αυτό;'],
  ['Hebrew', 'מה זה?'],
  ['Arabic', 'ما هذا؟'],
  ['Devanagari', 'यह क्या है?'],
  ['Bengali', 'এটা কী?'],
  ['Tamil', 'இது என்ன?'],
  ['Telugu', 'ఇది ఏమిటి?'],
  ['Thai', 'นี่คืออะไร'],
  ['Georgian', 'რა არის ეს?'],
  ['Armenian', 'Ի՞նչ է սա'],
  ['Ethiopic', 'ይህ ምንድን ነው?'],
  ['Han', '这是什么？'],
  ['Japanese', 'これは何ですか。日本語です'],
  ['Korean', '이것은 무엇입니까?'],
  ['Other', '12 + 30 = ?'],
]
for (const [script, text] of scripts) test(`script: ${script}`, () => assert.equal(scriptOf(text), script))
test('script: each there is has been tried', () =>
  assert.deepEqual(scripts.map(([script]) => script).toSorted(), SCRIPTS.toSorted()))
