import type { RequestOptions } from 'node:https'
import { HttpMethod, KubeConfig, RequestContext } from '@kubernetes/client-node'
import { Agent } from 'undici'
import type { Way } from './way.ts'

/** The way of a kubeconfig: the file given, or what kubectl would take. Throws where it names no cluster. */
export async function fromKubeconfig(file: string | undefined): Promise<Way> {
  const config = new KubeConfig()
  if (file) config.loadFromFile(file)
  else config.loadFromDefault()
  const server = config.getCurrentCluster()?.server
  if (!server) throw new Error('no cluster: give --kubeconfig, or run in a pod')
  const context = new RequestContext(server, HttpMethod.GET)
  await config.applySecurityAuthentication(context)
  const dispatcher = context.getDispatcher() ?? new Agent()
  const options = async () => {
    const all: RequestOptions = {}
    await config.applyToHTTPSOptions(all)
    return all
  }
  const { ca, rejectUnauthorized, servername } = await options()
  const trust = {
    ...(ca === undefined ? {} : { ca }),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
    ...(servername === undefined ? {} : { servername }),
  }
  return {
    server: server.replace(/\/$/, ''),
    dispatcher,
    guest: new Agent({ connect: trust }),
    async authorization() {
      const { headers } = await options()
      return new Headers(headers as Record<string, string>).get('authorization') ?? undefined // KubeConfig sets plain strings only
    },
  }
}
