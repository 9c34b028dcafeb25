import { Command } from 'commander'
import { statusCommand } from './experiment/status.ts'

const examples = `
Examples:
  tradewind experiment status
  tradewind experiment status ai/chat -o json
  kubectl tradewind experiment status chat -n ai`

/** The command `tradewind experiment`, a group. */
export function experimentCommand(): Command {
  return new Command('experiment')
    .description('see A/B experiments, and what they have found')
    .addHelpText('after', examples)
    .addCommand(statusCommand())
}
