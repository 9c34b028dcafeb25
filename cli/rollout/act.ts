import { Command } from 'commander'
import { ROLLOUT_ANNOTATION } from '../../api/rollout-annotation.ts'
import type { Verb } from '../../core/rollout/state.ts'
import type { RolloutView } from '../../operator/rollouts.ts'
import { Failure } from '../failure.ts'
import { outputOption, print } from '../output.ts'
import type { Output } from '../output.ts'
import { actOn, rolloutsAt } from './api.ts'
import { Refusal } from './ask.ts'
import { placed, target } from './options.ts'
import type { Flags } from './options.ts'
import { line } from './table.ts'
import { theOne } from './which.ts'
import type { Which } from './which.ts'

/** What each verb is for, and what to know of it. */
const VERB_HELP: Readonly<Record<Verb, { readonly summary: string; readonly more: string }>> = {
  pause: {
    summary: 'hold a rollout at the weight that it has',
    more: 'Guardrails go on being watched: a canary that harms is rolled back all the same.',
  },
  resume: {
    summary: 'let a paused rollout go on, or into a step with a manual gate',
    more: 'A rollout whose canary had its weight set by hand goes on by its steps.',
  },
  promote: {
    summary: 'give the canary all requests now, whatever the evidence',
    more: 'It skips the steps that are left. One that is rolled back has to be retried first.',
  },
  abort: {
    summary: 'take the canary back to no requests now',
    more: 'The rollout is RolledBack then, until it is retried or has another canary.',
  },
  retry: {
    summary: 'begin a rollout that was rolled back anew',
    more: 'It begins at the first step, with no evidence; the cooldown does not count.',
  },
}

interface ActFlags extends Flags {
  readonly output: Output
}

/** The command `tradewind rollout VERB`. */
export function actCommand(verb: Verb): Command {
  const { summary, more } = VERB_HELP[verb]
  const examples = `
${more} It takes the right to ${verb} rollouts.tradewind.dev in the route's namespace.

Examples:
  tradewind rollout ${verb} chat -n ai
  tradewind rollout ${verb} ai/chat --rule all`
  return placed(new Command(verb))
    .description(summary)
    .argument('<route>', 'the route, ROUTE or NAMESPACE/ROUTE')
    .option('--rule <name>', 'the rule, where several of it have a rollout')
    .addOption(outputOption())
    .addHelpText('after', examples)
    .action(async (route: string, { output, ...flags }: ActFlags) => {
      const { ask, wanted, cluster } = await target(route, flags)
      const reached = <T>(asked: Promise<T>): Promise<T> => (cluster ? asked.catch(orAnnotate(verb, wanted)) : asked)
      const one = named(wanted) ?? theOne(await reached(rolloutsAt(ask, wanted.namespace)), wanted)
      const rollout = await reached(actOn(ask, one, verb))
      print({ rollout }, output, () => `${line(rollout)}: ${rollout.message}\n`)
    })
}

/** Where all of it is said there is nothing to look up: one may do what one may not see. */
function named({ namespace, route, rule }: Which): Pick<RolloutView, 'route' | 'rule'> | undefined {
  return namespace !== undefined && route !== undefined && rule !== undefined
    ? { route: `${namespace}/${route}`, rule }
    : undefined
}

/** What else there is to do where the operator of a cluster cannot be asked; what it refuses stays refused. */
function orAnnotate(verb: Verb, { namespace = '', route = '', rule }: Which): (error: unknown) => Promise<never> {
  return async (error) => {
    if (error instanceof Refusal) throw error
    const { words } = await import('../cluster.ts')
    const value = `${verb}${rule === undefined ? '' : `:${rule}`}@${new Date().toISOString()}`
    const annotation = `kubectl annotate --overwrite modelroute ${route} -n ${namespace} ${ROLLOUT_ANNOTATION}=${value}`
    throw new Failure(`The operator cannot be asked: ${words(error)}; an annotation does it too: ${annotation}`)
  }
}
