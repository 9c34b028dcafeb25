/** A command that ends with something to say: one line that says what to do, and exit code 1. */
export class Failure extends Error {}

/** The exit codes, the same for every command. */
export const EXIT = {
  ok: 0,
  /** A problem was found, or the command could not do what it was asked. */
  problem: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** What was waited for has not come in time. */
  late: 3,
} as const
