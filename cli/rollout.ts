import { Command } from 'commander'
import { VERBS } from '../core/rollout/state.ts'
import { actCommand } from './rollout/act.ts'
import { planCommand } from './rollout/plan.ts'
import { statusCommand } from './rollout/status.ts'
import { watchCommand } from './rollout/watch.ts'

const examples = `
Examples:
  tradewind rollout plan -f routes/ --rate 12
  tradewind rollout status
  tradewind rollout watch chat -n ai
  tradewind rollout promote ai/chat
  kubectl tradewind rollout pause chat -n ai`

/** The command `tradewind rollout`, a group. */
export function rolloutCommand(): Command {
  const group = new Command('rollout')
    .description('see canaries that move themselves, and take the wheel')
    .addHelpText('after', examples)
  for (const command of [planCommand(), statusCommand(), watchCommand(), ...VERBS.map(actCommand)])
    group.addCommand(command)
  return group
}
