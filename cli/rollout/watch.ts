import { Command } from 'commander'
import type { RolloutView } from '../../operator/rollouts.ts'
import { EXIT, Failure } from '../failure.ts'
import { seenAt } from './api.ts'
import { follow } from './events.ts'
import { placed, target } from './options.ts'
import type { Flags } from './options.ts'
import { Screen } from './screen.ts'
import { details, isBack, isOver, line, list } from './table.ts'
import { chosen, none } from './which.ts'

const examples = `
On a terminal it draws in place, by color where NO_COLOR does not say otherwise; elsewhere it writes a line for each change, and for new
numbers every 10 s. Of a named route it ends when the rollout does: with ${EXIT.ok} where it is promoted, ${EXIT.problem} where it is rolled back.

Examples:
  tradewind rollout watch chat -n ai
  tradewind rollout watch`

/** How often a view is drawn anew, ms: times go on where nothing else does. */
const TICK = 1000
/** Between two lines that say new numbers only, ms. */
const NUMBERS_EVERY = 10_000

/** The command `tradewind rollout watch`. */
export function watchCommand(): Command {
  return placed(new Command('watch'))
    .description('follow rollouts, live, until they end')
    .argument('[route]', 'a route, ROUTE or NAMESPACE/ROUTE; left out: all, until it is interrupted')
    .option('--rule <name>', 'only this rule of it')
    .addHelpText('after', examples)
    .action(async (route: string | undefined, flags: Flags) => {
      const at = await target(route, flags)
      const { wanted } = at
      const named = wanted.route !== undefined
      if (named) {
        const all = await seenAt(at)
        if (chosen(all, wanted).length === 0) throw new Failure(none(all, wanted))
      }
      const stop = new AbortController()
      const interrupt = () => stop.abort()
      process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
      const view = process.stdout.isTTY ? new Live(named) : new Lines()
      try {
        for await (const all of follow(at.ask, wanted.namespace, {
          signal: stop.signal,
          lost: (why) => view.note(why),
        })) {
          const seen = chosen(all, wanted)
          view.show(seen)
          if (!named || !seen.every(isOver)) continue
          if (seen.some(isBack)) process.exitCode = EXIT.problem
          break
        }
      } finally {
        view.close()
        process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
      }
    })
}

/** Draws in place: one route with all that is known, or a table of all. */
class Live {
  readonly #screen = new Screen(process.stdout)
  readonly #named: boolean
  readonly #timer = setInterval(() => this.#draw(), TICK)
  #seen: readonly RolloutView[] = []
  #note = ''

  constructor(named: boolean) {
    this.#named = named
  }

  show(seen: readonly RolloutView[]): void {
    this.#seen = seen
    this.#note = ''
    this.#draw()
  }

  note(why: string): void {
    this.#note = `${why} Connecting again …`
    this.#draw()
  }

  close(): void {
    clearInterval(this.#timer)
    this.#screen.close()
  }

  #draw(): void {
    const now = Date.now()
    const text = this.#named ? this.#seen.map((it) => details(it, now)).join('\n') : list(this.#seen, now)
    this.#screen.draw(this.#note ? `${text}\n${this.#note}` : text)
  }
}

/** Writes a line where a rollout has moved, and now and then its numbers. */
class Lines {
  readonly #told = new Map<string, { readonly moved: string; readonly text: string; readonly at: number }>()

  show(seen: readonly RolloutView[]): void {
    const now = Date.now()
    for (const it of seen) {
      const key = `${it.route}/${it.rule}`
      const before = this.#told.get(key)
      const moved = [it.phase, it.reason, it.version, it.step, it.weight, it.waiting].join(' ')
      const text = line(it)
      if (before && before.moved === moved && (before.text === text || now - before.at < NUMBERS_EVERY)) continue
      this.#told.set(key, { moved, text, at: now })
      process.stdout.write(
        `${new Date(now).toISOString()} ${text}${before?.moved === moved ? '' : `: ${it.message}`}\n`,
      )
    }
  }

  note(why: string): void {
    process.stderr.write(`note: ${why}\n`)
  }

  close(): void {}
}
