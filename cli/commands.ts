import type { Command } from 'commander'

/** A subcommand of `tradewind`, imported when it is called: `--help` need not load what it does not run. */
export interface Entry {
  readonly name: string
  /** The command's own description, said here too so that the list needs no import. */
  readonly summary: string
  readonly load: () => Promise<Command>
}

export const commands: readonly Entry[] = [
  {
    name: 'run',
    summary: 'route requests by a directory of manifests, with no cluster',
    load: async () => (await import('./run.ts')).runCommand(),
  },
  {
    name: 'validate',
    summary: 'check manifests as the API server would',
    load: async () => (await import('./validate.ts')).validateCommand(),
  },
  {
    name: 'explain',
    summary: 'say which rule and targets a request would get, and why',
    load: async () => (await import('./explain.ts')).explainCommand(),
  },
  {
    name: 'train',
    summary: 'train a classifier that tells which model will do, on labelled prompts',
    load: async () => (await import('./train.ts')).trainCommand(),
  },
  {
    name: 'simulate',
    summary: 'replay a data set or a decision log through a route, and say what comes of it',
    load: async () => (await import('./simulate.ts')).simulateCommand(),
  },
  {
    name: 'status',
    summary: 'show what each sidecar serves, its health, and the shares observed',
    load: async () => (await import('./status.ts')).statusCommand(),
  },
  {
    name: 'rollout',
    summary: 'see canaries that move themselves, and take the wheel',
    load: async () => (await import('./rollout.ts')).rolloutCommand(),
  },
  {
    name: 'experiment',
    summary: 'see A/B experiments, and what they have found',
    load: async () => (await import('./experiment.ts')).experimentCommand(),
  },
  {
    name: 'mock',
    summary: 'run a simulated model server that speaks a provider’s API, with faults on demand',
    load: async () => (await import('./mock/command.ts')).mockCommand(),
  },
  {
    name: 'completion',
    summary: 'print a completion script for bash, zsh or fish',
    load: async () => (await import('./completion.ts')).completionCommand(),
  },
  {
    name: 'version',
    summary: 'print the version',
    load: async () => (await import('./version.ts')).versionCommand(),
  },
]
