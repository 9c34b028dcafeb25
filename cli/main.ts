#!/usr/bin/env node
import { basename } from 'node:path'
import { CommanderError } from 'commander'
import { EXIT, Failure } from './failure.ts'
import { program } from './program.ts'

// As a plugin of kubectl the program is called by another name: help and errors say what was typed.
const name = basename(process.argv[1] ?? '').startsWith('kubectl-tradewind') ? 'kubectl tradewind' : 'tradewind'
const argv = process.argv.slice(2)

// `tradewind … | head` ends when its reader has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await (await program(argv, name)).parseAsync(argv, { from: 'user' })
} catch (error) {
  process.exitCode = exitCode(error)
}

function exitCode(error: unknown): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok
    // `command.error` of a running command has this code; all others are commander's own, about the command line.
    return error.code === 'commander.error' ? EXIT.problem : EXIT.usage
  }
  const message = error instanceof Error ? error.message : String(error)
  process.stderr.write(`error: ${error instanceof Failure ? message : `${message} (unexpected)`}\n`)
  return EXIT.problem
}
