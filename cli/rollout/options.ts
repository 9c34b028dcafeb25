import { Option } from 'commander'
import type { Command } from 'commander'
import type { Cluster, Place } from '../cluster.ts'
import { localAdmin } from '../local-admin.ts'
import { askCluster, askLocal } from './ask.ts'
import type { Ask } from './ask.ts'
import { which } from './which.ts'
import type { Which } from './which.ts'

/** Where rollouts are asked for, and which. */
export interface Flags extends Place {
  readonly admin?: string
  readonly rule?: string
}

/** The options that every command about rollouts has. */
export function placed(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--admin <url>',
        'the admin port of a local run (default, where there is no kubeconfig: http://127.0.0.1:4142)',
      ).conflicts(['kubeconfig', 'context', 'operatorNamespace', 'operator']),
    )
    .option('--kubeconfig <file>', 'of the cluster (default: as kubectl has it)')
    .option('--context <name>', 'of the kubeconfig (default: the current one)')
    .option(
      '-n, --namespace <name>',
      'of the route (default: that of the context for a route, else all that you may see)',
    )
    .option('--operator-namespace <name>', 'where the operator runs (default: it is looked for)')
    .option('--operator <host:port>', 'its push port (default: one that the API server forwards to its pod)')
}

/** Where the questions go, and which rollouts they are about. */
export interface Target {
  readonly ask: Ask
  readonly wanted: Which
  /** Undefined for a local run. */
  readonly cluster: Cluster | undefined
}

/** The local run or the cluster that the flags, or else the environment, say. Throws `Failure`. */
export async function target(route: string | undefined, { admin: given, rule, ...place }: Flags): Promise<Target> {
  const { namespace, kubeconfig, context, operator } = place
  const named = { ...(namespace === undefined ? {} : { namespace }), ...(rule === undefined ? {} : { rule }) }
  const wanted = which(route, named)
  const admin = given ?? ((kubeconfig ?? context ?? operator) ? undefined : localAdmin(process.env))
  if (admin !== undefined) return { ask: askLocal(admin), wanted, cluster: undefined }
  const { Cluster } = await import('../cluster.ts')
  const at = wanted.namespace ?? (wanted.route === undefined ? undefined : new Cluster(place).namespace)
  const cluster = new Cluster({ ...place, ...(at === undefined ? {} : { namespace: at }) })
  return { ask: askCluster(cluster), wanted: { ...wanted, namespace: at }, cluster }
}
