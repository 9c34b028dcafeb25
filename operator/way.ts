import { readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { join } from 'node:path'
import { Agent, type Dispatcher } from 'undici'

/** Where the API server is, and who we are to it. */
export interface Way {
  /** Without a slash at its end. */
  readonly server: string
  readonly dispatcher: Dispatcher
  /** Trusts the same server, and shows nothing of ours: for asking with somebody else's token. */
  readonly guest: Dispatcher
  /** The Authorization of the moment: tokens are renewed. */
  readonly authorization: () => Promise<string | undefined>
}

/** The token's file is read anew this often, ms; kubelet renews it long before it ends. */
const TOKEN_FOR = 10_000

/** The way of a pod, by its ServiceAccount in `directory`. */
export async function fromPod(directory: string, env: NodeJS.ProcessEnv): Promise<Way> {
  const { KUBERNETES_SERVICE_HOST: host = '', KUBERNETES_SERVICE_PORT: port = '443' } = env
  const ca = await readFile(join(directory, 'ca.crt'), 'utf8')
  const dispatcher = new Agent({ connect: { ca } })
  let read = { token: '', at: -Infinity }
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    dispatcher,
    guest: dispatcher,
    async authorization() {
      if (performance.now() - read.at > TOKEN_FOR)
        read = { token: (await readFile(join(directory, 'token'), 'utf8')).trim(), at: performance.now() }
      return `Bearer ${read.token}`
    },
  }
}
