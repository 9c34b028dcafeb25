import { Command } from 'commander'
import { API_VERSION } from '../api/resource.ts'
import { PROTOCOL } from '../api/protocol.ts'
import { RELEASE } from '../api/release.ts'
import { outputOption, print } from './output.ts'
import type { Output } from './output.ts'

/** The command `tradewind version`. */
export function versionCommand(): Command {
  return new Command('version')
    .description('print the version')
    .addOption(outputOption())
    .action(({ output }: { readonly output: Output }) => {
      const version = { version: RELEASE, api: API_VERSION, protocol: PROTOCOL, node: process.version }
      print(version, output, () => `tradewind ${RELEASE}\n`)
    })
}
