import { Command } from 'commander'
import { check } from './check.ts'
import type { Finding } from './check.ts'
import { EXIT } from './failure.ts'
import { readManifests } from './manifests.ts'
import { outputOption, paint, print } from './output.ts'
import type { Output } from './output.ts'

const examples = `
Prints file:line:column of each problem, with the path and the words that the API server has for it. References are looked up among the
manifests given; one that does not resolve there is a warning, since it may resolve in the cluster.

Examples:
  tradewind validate examples/quickstart --allow-loopback
  kubectl get mroute,mep -A -o yaml | tradewind validate -
  tradewind validate -o json routes.yaml`

interface Flags {
  readonly allowLoopback: boolean
  readonly output: Output
}

/** The command `tradewind validate`. */
export function validateCommand(): Command {
  return new Command('validate')
    .description('check manifests as the API server would')
    .argument('<path...>', 'files or directories of manifests; - for standard input')
    .option('--allow-loopback', 'let URLs point at this machine, as in local mode', false)
    .addOption(outputOption())
    .addHelpText('after', examples)
    .action(async (paths: readonly string[], { allowLoopback, output }: Flags) => {
      const { manifests, findings, unpriced } = check(await readManifests(paths), { allowLoopback })
      const errors = findings.filter(({ severity }) => severity === 'error').length
      const warnings = findings.length - errors
      print({ manifests, errors, warnings, findings, unpriced }, output, () => findings.map(line).join(''))
      if (output === 'table')
        process.stderr.write(
          `${count(manifests, 'manifest')}, ${count(errors, 'error')}, ${count(warnings, 'warning')}${withoutPrice(unpriced)}\n`,
        )
      if (errors) process.exitCode = EXIT.problem
    })
}

function line({ file, line, column, severity, path, message }: Finding): string {
  const word = severity === 'error' ? paint('red', 'error') : paint('yellow', 'warning')
  return `${file}:${line}:${column}: ${word}: ${path ? `${path}: ` : ''}${message}\n`
}

/** One line for all of them: a server of one's own has no price unless it is given one, and that is nothing wrong. */
function withoutPrice(models: readonly string[]): string {
  return models.length === 0 ? '' : `; no price is known for ${models.join(', ')}`
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
