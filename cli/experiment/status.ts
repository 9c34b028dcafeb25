import { Command } from 'commander'
import { EXPERIMENTS_PATH } from '../../operator/experiment-api.ts'
import type { ExperimentView } from '../../operator/experiments.ts'
import { EXIT, Failure } from '../failure.ts'
import { outputOption, print } from '../output.ts'
import type { Output } from '../output.ts'
import { Refusal, answered } from '../rollout/ask.ts'
import { placed, target } from '../rollout/options.ts'
import type { Flags, Target } from '../rollout/options.ts'
import { chosen } from '../rollout/which.ts'
import { details, list } from './table.ts'

const examples = `
Of a cluster it asks the operator, as the user of the kubeconfig, or the routes themselves where that cannot be; of a local run, its admin
port. Exits with ${EXIT.ok}, or with ${EXIT.problem} where an experiment is blocked.

Examples:
  tradewind experiment status
  tradewind experiment status chat -n ai
  tradewind experiment status ai/chat --rule all -o json`

interface StatusFlags extends Flags {
  readonly output: Output
}

/** The command `tradewind experiment status`. */
export function statusCommand(): Command {
  return placed(new Command('status'))
    .description('show where experiments are, and how each arm compares with the control')
    .argument('[route]', 'a route, ROUTE or NAMESPACE/ROUTE; left out: all')
    .option('--rule <name>', 'only this rule of it')
    .addOption(outputOption())
    .addHelpText('after', examples)
    .action(async (route: string | undefined, { output, ...flags }: StatusFlags) => {
      const at = await target(route, flags)
      const all = await seenAt(at)
      const seen = chosen(all, at.wanted)
      if (at.wanted.route !== undefined && seen.length === 0)
        throw new Failure(
          `There is no experiment of route ${route}${flags.rule === undefined ? '' : `, rule ${flags.rule}`}. A rule of a route says \`experiment\`.`,
        )
      print({ experiments: seen }, output, () =>
        at.wanted.route === undefined ? list(seen) : seen.map(details).join('\n'),
      )
      if (seen.some(({ phase }) => phase === 'Blocked')) process.exitCode = EXIT.problem
    })
}

/** The experiments as the operator has them; of a cluster whose operator cannot be asked, as the routes have them, with a note why. */
async function seenAt({ ask, wanted: { namespace }, cluster }: Target): Promise<readonly ExperimentView[]> {
  const query = namespace === undefined ? '' : `?namespace=${encodeURIComponent(namespace)}`
  try {
    const answer = await answered(ask(`${EXPERIMENTS_PATH}${query}`))
    return (answer as { experiments: readonly ExperimentView[] }).experiments // what is there, answered with 200
  } catch (error) {
    if (!cluster || error instanceof Refusal) throw error
    const { words } = await import('../cluster.ts')
    process.stderr.write(`note: the operator was not asked, but the routes themselves: ${words(error)}.\n`)
    const { routes } = await cluster.resources()
    return routes.flatMap(({ name, status: { experiments = [] } }) => experiments.map((it) => ({ ...it, route: name })))
  }
}
