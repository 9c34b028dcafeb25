import type { Deps } from '../core/deps.ts'
import { explain } from '../core/explain.ts'
import type { Explanation } from '../core/explain.ts'
import { configured } from './configured.ts'
import type { Pod } from './configured.ts'
import type { Question } from './explain.ts'

/** Explains by the manifests of a directory. Connects to nothing. */
export async function explainDirectory(
  directory: string,
  { model, path, headers, body, at }: Question,
  pod: Pod,
): Promise<Explanation> {
  const configuration = await configured(directory, pod, idle)
  try {
    const { runtime } = configuration
    if (!runtime) throw new Error('a configuration that is not refused has a runtime')
    const told = { model, path, header: (name: string) => headers[name], body }
    return explain(runtime.table, told, idle.now(), at ?? idle.wall())
  } finally {
    configuration.close()
  }
}

/** Nothing is asked, so nothing waits and nothing is told. */
const idle: Deps = {
  now: () => performance.now(),
  wall: () => Date.now(),
  random: () => Math.random(),
  sleep: async () => {},
  deadlines: { add: () => {}, remove: () => {} },
  telemetry: {
    attemptStarted: () => undefined,
    attemptEnded: () => {},
    exchangeStarted: () => {},
    exchangeEnded: () => {},
  },
}
