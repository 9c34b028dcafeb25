import { createHash } from 'node:crypto'

/** What makes two prompts the same: their text without case and runs of blanks. */
export function promptKey(prompt: string): string {
  return prompt.toLowerCase().replaceAll(/\s+/g, ' ').trim()
}

/**
 * The place of a prompt in [0, 1) by a hash of its text and a seed: equal prompts land in the same part whatever else is in the set, so that no
 * prompt is both learnt from and judged by.
 */
export function place(prompt: string, seed: number): number {
  return (
    createHash('sha256')
      .update(`${seed}\n${promptKey(prompt)}`)
      .digest()
      .readUInt32LE(0) /
    2 ** 32
  )
}
