import { Command, InvalidArgumentError, Option } from 'commander'
import { milliseconds } from '../../core/schema.ts'
import type { RolloutView } from '../../operator/rollouts.ts'
import { EXIT, Failure } from '../failure.ts'
import { outputOption, print } from '../output.ts'
import type { Output } from '../output.ts'
import { seenAt } from './api.ts'
import { placed, target } from './options.ts'
import type { Flags, Target } from './options.ts'
import { follow } from './events.ts'
import { details, isBack, isOver, list } from './table.ts'
import { chosen, none } from './which.ts'

const examples = `
Of a cluster it asks the operator, as the user of the kubeconfig, or the routes themselves where that cannot be; of a local run, its admin
port. Exits with ${EXIT.ok} where every rollout shown is well, ${EXIT.problem} where one is rolled back or on its way, and with --wait ${EXIT.late} where one is still
under way after --timeout.

Examples:
  tradewind rollout status
  tradewind rollout status chat -n ai
  tradewind rollout status ai/chat --rule all -o json
  tradewind rollout status ai/chat --wait --timeout 2h && echo promoted`

interface StatusFlags extends Flags {
  readonly output: Output
  readonly wait: boolean
  readonly timeout: number
}

function duration(text: string): number {
  if (!/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(text)) throw new InvalidArgumentError('It must be like 30m or 1h30m.')
  return milliseconds(text)
}

/** The command `tradewind rollout status`. */
export function statusCommand(): Command {
  return placed(new Command('status'))
    .description('show where rollouts are, and the evidence of each guardrail')
    .argument('[route]', 'a route, ROUTE or NAMESPACE/ROUTE; left out: all')
    .option('--rule <name>', 'only this rule of it')
    .option('--wait', 'wait until all of them are promoted or rolled back', false)
    .addOption(new Option('--timeout <duration>', 'how long to wait').argParser(duration).default(3_600_000, '1h'))
    .addOption(outputOption())
    .addHelpText('after', examples)
    .action(async (route: string | undefined, { output, wait, timeout, ...flags }: StatusFlags) => {
      const at = await target(route, flags)
      const all = await seenAt(at)
      if (at.wanted.route !== undefined && chosen(all, at.wanted).length === 0) throw new Failure(none(all, at.wanted))
      const seen = wait ? await settled(at, timeout) : chosen(all, at.wanted)
      print({ rollouts: seen }, output, () =>
        at.wanted.route === undefined ? list(seen, Date.now()) : seen.map((it) => details(it, Date.now())).join('\n'),
      )
      if (seen.some(isBack)) process.exitCode = EXIT.problem
      else if (wait && !seen.every(isOver)) process.exitCode = EXIT.late
    })
}

/** Those that are meant, once nothing moves them any more or the time is up. */
async function settled({ ask, wanted }: Target, timeout: number): Promise<readonly RolloutView[]> {
  const options = {
    signal: AbortSignal.timeout(timeout),
    lost: (why: string) => void process.stderr.write(`note: ${why}\n`),
  }
  let seen: readonly RolloutView[] = []
  for await (const all of follow(ask, wanted.namespace, options)) {
    seen = chosen(all, wanted)
    if (seen.every(isOver)) break
  }
  return seen
}
