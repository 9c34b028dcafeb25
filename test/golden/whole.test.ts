/**
 * Golden cases of what is answered whole and never streamed: `test/golden/whole/embeddings/CASE.yaml` and `…/rerank/CASE.yaml`.
 * `UPDATE=1` writes the outputs anew; review the difference, since what is written is what will be held to.
 *
 * Every case has `about`, `provenance` (`recorded`, `documented` or `constructed`) and `source`, as in `providers.test.ts`;
 *   caller      whose request it is, of `kinds` below, and `request`, its body
 *   target      who is asked
 *     → sent       {path, body}, and `dropped` and `unread` where there is something; or
 *     → refused    the code and words of the failure
 *   answer      the target's body, where the case goes on to it
 *     → answered   the caller's body, and `usage` without its zeros; or
 *     → malformed  the words of `Malformed`
 */
import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { dump, load } from 'js-yaml'
import { cohereEmbedCaller, cohereEmbedTarget } from '../../core/dialects/cohere/embed.ts'
import { cohereRerankTarget, rerankCaller, teiRerankTarget } from '../../core/dialects/cohere/rerank.ts'
import { Malformed } from '../../core/dialects/dialect.ts'
import type { Asked, Json, Outgoing, TargetContext } from '../../core/dialects/dialect.ts'
import { openaiEmbeddingsCaller, openaiEmbeddingsTarget } from '../../core/dialects/openai/embeddings.ts'
import { Failure } from '../../core/errors.ts'
import type { Usage } from '../../core/usage.ts'

interface Caller<Request, Answer> {
  read(body: Json, asked: Asked): Request
  answer(answer: Answer, request: Request, requestId: string): unknown
}
interface Target<Request, Answer> {
  write(request: Request, context: TargetContext): Outgoing
  read(body: unknown, request: Request, context: TargetContext): Answer
}
interface Kind<Request, Answer> {
  readonly callers: Readonly<Record<string, Caller<Request, Answer>>>
  readonly targets: Readonly<Record<string, Target<Request, Answer>>>
}

const context: TargetContext = {
  model: 'target-model',
  settings: {},
  capabilities: { contextWindow: undefined, maxOutputTokens: undefined, prefill: undefined },
  requestId: 'req_golden',
}

function outputs<R extends { readonly unread: readonly string[] }, A extends { readonly usage: Usage | undefined }>(
  given: Json,
  { callers, targets }: Kind<R, A>,
): unknown {
  const [caller, target] = [callers[String(given['caller'])], targets[String(given['target'])]]
  assert.ok(
    caller && target,
    `a case has a caller of ${Object.keys(callers).join(', ')} and a target of ${Object.keys(targets).join(', ')}`,
  )
  const out: Record<string, unknown> = {}
  try {
    const request = caller.read(object(given['request']), {})
    const { path, body, dropped } = target.write(request, context)
    out['sent'] = { path, body }
    if (dropped.length > 0) out['dropped'] = dropped
    if (request.unread.length > 0) out['unread'] = request.unread
    if (!('answer' in given)) return out
    const answer = target.read(given['answer'], request, context)
    out['answered'] = caller.answer(answer, request, 'req_golden')
    if (answer.usage) out['usage'] = Object.fromEntries(Object.entries(answer.usage).filter(([, value]) => value !== 0))
  } catch (error) {
    if (error instanceof Failure) out['refused'] = { code: error.code, words: error.message }
    else if (error instanceof Malformed) out['malformed'] = error.message
    else throw error
  }
  return out
}

const kinds: Readonly<Record<string, (given: Json) => unknown>> = {
  embeddings: (given) =>
    outputs(given, {
      callers: { openai: openaiEmbeddingsCaller, cohere: cohereEmbedCaller },
      targets: { openai: openaiEmbeddingsTarget, cohere: cohereEmbedTarget },
    }),
  rerank: (given) =>
    outputs(given, {
      callers: { cohere: rerankCaller },
      targets: { cohere: cohereRerankTarget, tei: teiRerankTarget },
    }),
}

const INPUTS = ['about', 'provenance', 'source', 'caller', 'request', 'target', 'answer']
const folder = join(import.meta.dirname, 'whole')

for (const path of globSync('*/*.yaml', { cwd: folder }).sort()) {
  const file = join(folder, path)
  const given = object(load(readFileSync(file, 'utf8')))
  test(`golden: ${path.replace('.yaml', '')}: ${String(given['about'])}`, () => {
    assert.ok(
      ['recorded', 'documented', 'constructed'].includes(String(given['provenance'])),
      'a case has its provenance',
    )
    assert.ok(given['about'] && given['source'], 'a case says what it shows, and where it is from')
    // What is compared is what JSON says.
    const output = object(JSON.parse(JSON.stringify(kinds[dirname(path)]?.(given))))
    if (process.env['UPDATE']) {
      const inputs = Object.fromEntries(INPUTS.flatMap((key) => (key in given ? [[key, given[key]]] : [])))
      writeFileSync(file, dump({ ...inputs, ...output }, { lineWidth: 140, noRefs: true }))
    }
    const held = object(load(readFileSync(file, 'utf8')))
    assert.deepEqual(output, Object.fromEntries(Object.entries(held).filter(([key]) => !INPUTS.includes(key))))
  })
}

function object(value: unknown): Json {
  assert.ok(typeof value === 'object' && value !== null && !Array.isArray(value), 'it is an object')
  return value as Json // an object has string keys, and their values are unknown
}
