import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { place, promptKey } from '../../core/learning/split.ts'

/** One answer of a model to a prompt: its quality in [0, 1], its tokens, and what it said where the set has it. */
export interface Answer {
  readonly q: number
  readonly in_tok: number
  readonly out_tok: number
  readonly resp?: string
}

/** One prompt with the answers of several models. */
export interface Row {
  readonly id: string
  readonly dataset: string
  readonly domain: string
  readonly prompt: string
  readonly models: Readonly<Record<string, Answer>>
}

/** One prompt with the tier that it should go to. */
export interface TierRow {
  readonly prompt: string
  readonly expected_tier: string
  readonly category: string
  readonly lang: string
  readonly split: string
}

export const FILES = {
  routellm: 'routellm_mixtral_gpt4.jsonl.gz',
  zeroeval: 'zeroeval_10models.jsonl.gz',
  tiers: 'uncommonroute_tiers.jsonl.gz',
} as const

/** The folder of the real data: as given, or the environment variable ROUTING_DATA; undefined where there is none. */
export function dataFolder(given: string | undefined): string | undefined {
  const folder = given ?? process.env['ROUTING_DATA']
  return folder !== undefined && existsSync(join(folder, FILES.routellm)) ? folder : undefined
}

/** Reads a set, and keeps the first row of each prompt. The sets are trusted to have the columns above. */
export function readRows<T extends { readonly prompt: string }>(folder: string, file: string): readonly T[] {
  const lines = gunzipSync(readFileSync(join(folder, file)))
    .toString('utf8')
    .split('\n')
  const rows = new Map<string, T>()
  for (const line of lines) {
    if (line === '') continue
    // The benchmark's own data.
    const row = JSON.parse(line) as T
    const key = promptKey(row.prompt)
    if (!rows.has(key)) rows.set(key, row)
  }
  return [...rows.values()]
}

/** The fold of each prompt, 0 … folds − 1, by `place`. */
export function foldsOf(prompts: readonly string[], folds: number, seed: number): Uint8Array {
  return Uint8Array.from(prompts, (prompt) => Math.floor(place(prompt, seed) * folds))
}
