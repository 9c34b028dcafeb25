import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Runs `check` until it no longer throws, and resolves with what it returned; rejects with its last error after `within` milliseconds.
 * For what happens in its own time: the check runs at once and every `every` milliseconds, so that a test waits no longer than it must.
 */
export async function eventually<T>(check: () => T | Promise<T>, { within = 5000, every = 10 } = {}): Promise<T> {
  const until = performance.now() + within
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (performance.now() > until) throw error
    }
    await sleep(every)
  }
}
