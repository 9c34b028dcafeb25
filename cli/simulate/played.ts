import type { Pod } from '../configured.ts'
import { Failure } from '../failure.ts'
import { figuresOf } from './figures.ts'
import type { Figures } from './figures.ts'
import { readRows } from './rows.ts'
import type { Row } from './rows.ts'
import { Stage } from './stage.ts'
import type { Names, Played } from './stage.ts'

export interface Setting {
  readonly pod: Pod
  readonly model?: string
  readonly map: Names
  readonly bar: number
  readonly seed: number
  readonly limit?: number
}

/** Plays a data set through the manifests of a directory, and through those that are proposed. Throws `Failure`. */
export async function played(
  data: string,
  directory: string,
  proposed: string | undefined,
  setting: Setting,
): Promise<Figures> {
  const { pod, map, seed, limit = Number.POSITIVE_INFINITY } = setting
  const all = (await readRows(data)).slice(0, limit)
  const stage = await Stage.of(directory, pod, map, seed)
  const other = proposed === undefined ? undefined : await Stage.of(proposed, pod, map, seed)
  try {
    const stages = other ? [stage, other] : [stage]
    const rows = all.filter((row) => stages.every((it) => complete(it, row, setting.model ?? it.model)))
    if (rows.length === 0) throw new Failure(missing(stages, all, setting))
    if (rows.length < all.length)
      process.stderr.write(
        `warning: ${all.length - rows.length} of ${all.length} rows lack an answer of a target, and are left out.\n`,
      )
    return figuresOf(
      stage,
      await playedBy(stage, rows, setting.model),
      other && (await playedBy(other, rows, setting.model)),
      setting,
    )
  } finally {
    for (const it of [stage, other]) it?.close()
  }
}

async function playedBy(stage: Stage, rows: readonly Row[], model = stage.model): Promise<readonly Played[]> {
  const all: Played[] = []
  // One after the other, as they came: what a route learns of one counts for the next.
  for (const row of rows) all.push(await stage.play(row, model))
  return all
}

/** Whether the data set has an answer of every target of the rule that takes the request. */
const complete = (stage: Stage, row: Row, model: string): boolean =>
  stage.ruleOf(row, model).targets.every((target) => target.weight === 0 || stage.answer(row, target) !== undefined)

/** What the data set would have to have, for its first row. */
function missing(stages: readonly Stage[], [first]: readonly Row[], { model }: Setting): string {
  const wanted = first
    ? stages.flatMap((stage) =>
        stage
          .ruleOf(first, model ?? stage.model)
          .targets.filter((target) => stage.answer(first, target) === undefined)
          .map((target) => target.model.name),
      )
    : []
  const has = [...(first?.models.keys() ?? [])].join(', ')
  return `No row has an answer of every target: ${[...new Set(wanted)].join(', ')} missing, and the data set has ${has}. Say by --map which is which.`
}
