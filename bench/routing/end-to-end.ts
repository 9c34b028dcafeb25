import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { artefactManifest } from '../../cli/train/manifest.ts'
import { readTraining } from '../../cli/train/rows.ts'
import { trained } from '../../cli/train/train.ts'
import { Stage } from '../../cli/simulate/stage.ts'
import type { Played } from '../../cli/simulate/stage.ts'
import { bootstrap, meanOf } from '../../core/evaluation/bootstrap.ts'
import type { Estimate } from '../../core/evaluation/off-policy.ts'
import { place } from '../../core/learning/split.ts'
import { seeded } from '../../core/learning/random.ts'
import type { Row } from './data.ts'

const SEED = 1
/** Another than training splits by, which would else get one part alone. */
const SPLIT = 100
const FOLDS = 5
/** The part of held-back prompts that is simulated only. */
const AHEAD = 0.28
/** As the data set calls them, and USD per million tokens when the answers were made: input, output. */
const MODELS = [
  { name: 'gpt-4o-mini-2024-07-18', rank: 1, price: [0.15, 0.6] },
  { name: 'gpt-4o-2024-08-06', rank: 3, price: [2.5, 10] },
] as const
/** Asked besides, to be compared with. */
const SECOND = { name: 'gemini-1.5-flash', rank: 0, price: [0.075, 0.3] } as const
const [WEAK, STRONG] = [MODELS[0].name, MODELS[1].name]
/** Requests that are on their way at the same time. */
const ABREAST = 4

/** What came of one request, over HTTP or simulated. */
interface Answered {
  readonly row: Row
  readonly quality: number
  /** USD. */
  readonly cost: number
  readonly escalated: boolean
  /** The model that answered, as the data set calls it. */
  readonly model: string
  readonly rule: string
}

/**
 * A route with rules, then a classifier, then a cascade, in a sidecar of its own process, over HTTP, with servers that answer as the data set
 * says. Each fifth of the prompts is answered by what the others taught; of it somewhat over a quarter are simulated alone, which predicts what comes of
 * the rest. The rest is simulated as well, to see whether each request goes the same way.
 */
export async function endToEnd(zeroeval: readonly Row[]): Promise<string> {
  const rows = zeroeval.filter(({ models }) =>
    [...MODELS, SECOND].every(({ name }) => models[name]?.resp !== undefined),
  )
  const foldOf = (row: Row) => Math.floor(place(row.prompt, SPLIT) * FOLDS)
  const [predicted, same, served]: [Answered[], Answered[], Answered[]] = [[], [], []]
  for (let fold = 0; fold < FOLDS; fold++) {
    const held = rows.filter((row) => foldOf(row) === fold)
    const [ahead, later] = [true, false].map((is) => held.filter((row) => place(row.prompt, SPLIT + 1) < AHEAD === is))
    if (!ahead || !later) throw new Error('each fold has two parts')
    const manifests = mkdtempSync(join(tmpdir(), 'end-to-end-'))
    const servers = await Promise.all([...MODELS, SECOND].map(({ name }) => modelServer(name, held)))
    try {
      writeFileSync(join(manifests, 'router.yaml'), train(rows.filter((row) => foldOf(row) !== fold)))
      writeFileSync(join(manifests, 'route.yaml'), manifestsOf(servers.map(({ url }) => url)))
      predicted.push(...(await simulated(manifests, ahead)))
      same.push(...(await simulated(manifests, later)))
      served.push(...(await serve(manifests, later)))
    } finally {
      for (const { server } of servers) {
        server.closeAllConnections()
        server.close()
      }
      rmSync(manifests, { recursive: true })
    }
  }
  return report(predicted, same, served)
}

/** Plays prompts through the manifests as `tradewind simulate` does. */
async function simulated(manifests: string, rows: readonly Row[]): Promise<readonly Answered[]> {
  const stage = await Stage.of(manifests, { labels: {} }, new Map(), SEED)
  const all: Answered[] = []
  try {
    for (const row of rows) {
      const { quality, cost, escalations, target, rule } = await stage.play(toPlay(row), 'chat')
      all.push({
        row,
        quality,
        cost: cost / 1e12,
        escalated: escalations > 0,
        model: target.model.name,
        rule: rule.name,
      })
    }
    return all
  } finally {
    stage.close()
  }
}

const toPlay = ({ id, prompt, models }: Row): Played['row'] => ({
  id,
  messages: [{ role: 'user', content: prompt }],
  model: undefined,
  headers: {},
  models: new Map(
    Object.entries(models).map(([name, { q, in_tok: input, out_tok: output, resp: text }]) => [
      name,
      { quality: q, input, output, ms: 0, text },
    ]),
  ),
})

function train(rows: readonly Row[]): string {
  const names = [WEAK, STRONG, SECOND.name]
  const lines = rows.map(({ prompt, models }) =>
    JSON.stringify({
      prompt,
      quality: Object.fromEntries(names.map((name) => [name, models[name]?.q])),
      answer: Object.fromEntries(names.map((name) => [name, models[name]?.resp])),
    }),
  )
  const text = lines.join('\n')
  const options = {
    text: 'LastUser',
    bar: 0.5,
    seed: SEED,
    date: '2026-11-21T00:00:00Z',
    cost: new Map([...MODELS, SECOND].map(({ name, price: [, output] }): [string, number] => [name, output])),
    strong: STRONG,
    weak: [WEAK],
    second: SECOND.name,
    retain: 0.98,
    delta: 0.05,
    progress: () => {},
  } as const
  const made = trained(readTraining([{ name: 'teach.jsonl', text }], options), [Buffer.from(text)], options)
  return artefactManifest('router', made)
}

function manifestsOf(urls: readonly string[]): string {
  const endpoints = [...MODELS, SECOND].map(({ name, rank, price: [input, output] }, at) => ({
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelEndpoint',
    metadata: { name: `m${at}`, namespace: 'default' },
    spec: {
      provider: { type: 'OpenAICompatible' },
      address: { type: 'URL', url: `${urls[at]}/v1` },
      models: [{ name, rank, price: { input: String(input), output: String(output) } }],
    },
  }))
  const route = {
    apiVersion: 'tradewind.dev/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name: 'chat', namespace: 'default' },
    spec: {
      models: ['chat'],
      rules: [
        { name: 'long', matches: [{ tokens: { min: 700 } }], targets: [{ endpoint: { name: 'm1' } }] },
        {
          name: 'learned',
          targets: [{ endpoint: { name: 'm0' } }, { endpoint: { name: 'm1' } }],
          strategy: {
            type: 'Classifier',
            classifier: { artefact: { name: 'router' }, promises: 'Ignore', floor: '0.3' },
          },
          gate: {
            learned: { artefact: { name: 'router' } },
            agreement: { with: { endpoint: { name: 'm2' } } },
            maxEscalations: 1,
          },
        },
      ],
    },
  }
  return [...endpoints, route].map((it) => JSON.stringify(it)).join('\n---\n')
}

/** A server of OpenAI's dialect that answers each prompt as a model did. */
async function modelServer(
  model: string,
  rows: readonly Row[],
): Promise<{ readonly server: Server; readonly url: string }> {
  const byPrompt = new Map(rows.map((row) => [row.prompt, row.models[model]]))
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const { messages } = JSON.parse(Buffer.concat(chunks).toString()) as { messages: { content: string }[] } // our own sidecar's
      const answer = byPrompt.get(messages.at(-1)?.content ?? '')
      response.statusCode = answer ? 200 : 404
      response.setHeader('content-type', 'application/json')
      response.end(
        JSON.stringify({
          id: 'x',
          object: 'chat.completion',
          created: 1,
          model,
          choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: answer?.resp ?? '' } }],
          usage: {
            prompt_tokens: answer?.in_tok ?? 0,
            completion_tokens: answer?.out_tok ?? 0,
            total_tokens: (answer?.in_tok ?? 0) + (answer?.out_tok ?? 0),
          },
        }),
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } // it listens on a port
}

/** Sends all requests through `tradewind run` of the manifests. */
async function serve(manifests: string, rows: readonly Row[]): Promise<readonly Answered[]> {
  const program = join(import.meta.dirname, '../../cli/main.ts')
  const child = spawn(
    process.execPath,
    [program, 'run', manifests, '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0'],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  try {
    const url = await new Promise<string>((resolve, reject) => {
      let said = ''
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        const [, found] = /Send requests to (\S+)\/v1/.exec(said) ?? []
        if (found !== undefined) resolve(found)
      })
      child.once('exit', () => reject(new Error(`the sidecar ended: ${said}`)))
    })
    const waiting = rows.values()
    const served: Answered[] = []
    const worker = async (): Promise<void> => {
      // Each takes the next of those that nobody has taken.
      for (const row of waiting) served.push(await ask(url, row))
    }
    await Promise.all(Array.from({ length: ABREAST }, worker))
    return served
  } finally {
    child.kill('SIGTERM')
    if (child.exitCode === null) await once(child, 'exit')
  }
}

async function ask(url: string, row: Row): Promise<Answered> {
  const { statusCode, headers, body } = await request(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'chat', messages: [{ role: 'user', content: row.prompt }] }),
  })
  const text = await body.text()
  if (statusCode !== 200) throw new Error(`${statusCode}: ${text}`)
  const model = String(headers['x-tradewind-model'])
  const answer = row.models[model]
  if (!answer) throw new Error(`who answered is not known: ${JSON.stringify(headers)}`)
  return {
    row,
    quality: answer.q,
    cost: Number(headers['x-tradewind-cost']),
    model,
    escalated: String(headers['x-tradewind-reason']).includes('escalation'),
    rule: String(headers['x-tradewind-rule']),
  }
}

/** The figures as Markdown: what was predicted by other prompts, and what came of these. */
function report(predicted: readonly Answered[], same: readonly Answered[], served: readonly Answered[]): string {
  const [said, again, found] = [figures(predicted), figures(same), figures(served)]
  const bySimulation = new Map(same.map(({ row, model }) => [row.prompt, model]))
  const alike = served.filter(({ row, model }) => bySimulation.get(row.prompt) === model).length
  const rules = [...Map.groupBy(served, ({ rule }) => rule)].map(([rule, of]) => `${rule} ${of.length}`)
  const line = (what: string, name: keyof typeof said): string => {
    const [a, b] = [said[name], found[name]]
    const within = b.value >= a.low && b.value <= a.high
    // Both are samples: half the width of a difference's interval is that of both together.
    const noise = Math.hypot(a.high - a.low, b.high - b.low) / 2
    const both = Math.abs(a.value - b.value) <= noise
    return `| ${what} | ${shown(a)} | ${shown(again[name])} | ${shown(b)} | ${within ? 'yes' : 'no'} | ${both ? 'yes' : 'no'} |`
  }
  return [
    `gpt-4o-mini → gpt-4o, seed ${SEED}: ${served.length} prompts over HTTP, ${predicted.length} others simulated beforehand; each is answered by what was trained on the other four fifths. Rules: prompts of 700`,
    'tokens and more go to gpt-4o; the rest to a classifier, which sends to gpt-4o at once what it gives little chance; the cheap answers of the others are judged by a learned gate at its certified',
    `threshold, with gemini-1.5-flash asked to compare. Requests by rule: ${rules.join(', ')}. ${alike} of ${served.length} were answered by the same model as in the simulation of the same prompts.`,
    '',
    '| | simulated, other prompts (95 %) | simulated, the same prompts (95 %) | over HTTP (95 %) | within the prediction | within the noise of both samples |',
    '| --- | --- | --- | --- | --- | --- |',
    line('quality retained', 'retained'),
    line('cost saved', 'saved'),
    line('escalated', 'escalated'),
    line('always the weakest: quality retained', 'weakest'),
    line('random mixing as good: saved', 'mixing'),
    line('the oracle: saved', 'oracle'),
  ].join('\n')
}

/** What a list of answers comes to, with what else could have. */
function figures(answers: readonly Answered[]) {
  const column = (of: (it: Answered) => number): Float64Array => Float64Array.from(answers, of)
  const known = (name: string) => (row: Row) => ({ quality: row.models[name]?.q ?? 0, cost: costOf(row, name) })
  const [weak, strong] = [known(WEAK), known(STRONG)]
  const best = (row: Row) => (weak(row).quality >= strong(row).quality ? weak(row) : strong(row))
  const quality = column((it) => it.quality)
  const cost = column((it) => it.cost)
  const escalated = column((it) => Number(it.escalated))
  const of = (which: (row: Row) => { readonly quality: number; readonly cost: number }) => ({
    quality: column(({ row }) => which(row).quality),
    cost: column(({ row }) => which(row).cost),
  })
  const [w, s, b] = [of(weak), of(strong), of(best)]
  const mixing = (weights: Float64Array): number => {
    const [own, low, high] = [meanOf(quality, weights), meanOf(w.quality, weights), meanOf(s.quality, weights)]
    const share = Math.min(1, Math.max(0, (own - low) / (high - low)))
    return (1 - share) * (1 - meanOf(w.cost, weights) / meanOf(s.cost, weights))
  }
  return bootstrap(
    answers.length,
    {
      retained: (weights) => meanOf(quality, weights) / meanOf(s.quality, weights),
      saved: (weights) => 1 - meanOf(cost, weights) / meanOf(s.cost, weights),
      escalated: (weights) => meanOf(escalated, weights),
      weakest: (weights) => meanOf(w.quality, weights) / meanOf(s.quality, weights),
      mixing,
      oracle: (weights) => 1 - meanOf(b.cost, weights) / meanOf(s.cost, weights),
    },
    { random: seeded(SEED), resamples: 1000 },
  )
}

/** What a model takes for a prompt, USD. */
function costOf({ models }: Row, name: string): number {
  const { in_tok: input = 0, out_tok: output = 0 } = models[name] ?? {}
  const [perInput, perOutput] = MODELS.find((it) => it.name === name)?.price ?? [Number.NaN, Number.NaN]
  return (input * perInput + output * perOutput) / 1e6
}

const percent = (value: number): string => `${(100 * value).toFixed(1)} %`
const shown = ({ value, low, high }: Estimate): string =>
  `${percent(value)} (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)})`
