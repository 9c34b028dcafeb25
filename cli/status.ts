import { Command, Option } from 'commander'
import { CONDITIONS, REASONS } from '../api/conditions.ts'
import { OVERVIEW_PATH } from '../operator/overview.ts'
import type { Overview, SidecarOverview } from '../operator/overview.ts'
import { askAdmin } from './ask.ts'
import type { Place } from './cluster.ts'
import { EXIT } from './failure.ts'
import { localAdmin } from './local-admin.ts'
import { columns, outputOption, paint, print } from './output.ts'
import type { Output } from './output.ts'

const examples = `
Of a cluster it asks the operator, as the user of the kubeconfig, or the resources and sidecars where that cannot be; of a local run, its
admin port. Exits with 1 where something is refused, not in force, or unhealthy.

Examples:
  tradewind status
  tradewind status -n ai -o json
  tradewind status --admin http://127.0.0.1:4142`

type Condition = NonNullable<Overview['routes'][number]['status']['conditions']>[number]

interface Flags extends Place {
  readonly admin?: string
  readonly output: Output
}

/** The command `tradewind status`. */
export function statusCommand(): Command {
  return new Command('status')
    .description('show what each sidecar serves, its health, and the shares observed')
    .addOption(
      new Option(
        '--admin <url>',
        'the admin port of a local run (default, where there is no kubeconfig: http://127.0.0.1:4142)',
      ).conflicts(['kubeconfig', 'context', 'operatorNamespace', 'operator']),
    )
    .option('--kubeconfig <file>', 'of the cluster (default: as kubectl has it)')
    .option('--context <name>', 'of the kubeconfig (default: the current one)')
    .option('-n, --namespace <name>', 'only this namespace (default: all that you may see)')
    .option('--operator-namespace <name>', 'where the operator runs (default: it is looked for)')
    .option('--operator <host:port>', 'its push port (default: one that the API server forwards to its pod)')
    .addOption(outputOption())
    .addHelpText('after', examples)
    .action(async ({ admin: given, output, ...place }: Flags) => {
      const { namespace, kubeconfig, context, operator } = place
      const admin = given ?? ((kubeconfig ?? context ?? operator) ? undefined : localAdmin(process.env))
      const whole = admin === undefined ? await askCluster(place) : ((await askAdmin(admin, OVERVIEW_PATH)) as Overview) // what that port answers with 200
      const seen = namespace === undefined ? whole : only(whole, namespace)
      print(seen, output, () => table(seen))
      if (!isWell(seen)) process.exitCode = EXIT.problem
    })
}

/** What the operator says; where it cannot be asked, what resources and sidecars say, with a note why. */
async function askCluster(place: Place): Promise<Overview> {
  const { Cluster, words } = await import('./cluster.ts')
  const cluster = new Cluster(place)
  const resources = await cluster.resources()
  try {
    return await cluster.overview()
  } catch (error) {
    process.stderr.write(
      `note: the operator was not asked, but the resources and sidecars themselves: ${words(error)}.\n`,
    )
  }
  try {
    return { ...resources, sidecars: await cluster.sidecars(resources) }
  } catch (error) {
    process.stderr.write(`note: nor were the sidecars: ${words(error)}.\n`)
    return resources
  }
}

function only({ routes, endpoints, sidecars }: Overview, namespace: string): Overview {
  const inside = (name: string) => name.startsWith(`${namespace}/`)
  return {
    routes: routes.filter(({ name }) => inside(name)),
    endpoints: endpoints.filter(({ name }) => inside(name)),
    sidecars: sidecars.filter(({ pod }) => inside(pod)),
  }
}

/** Whether nothing is refused, out of force or unhealthy. */
function isWell({ routes, endpoints, sidecars }: Overview): boolean {
  const objects = [...routes, ...endpoints].flatMap(({ status }) => status.conditions ?? [])
  return !objects.some(isBad) && sidecars.every(({ connected, refused }) => connected && !refused)
}

/** What somebody wants to fail is to be seen, and is no problem of its own. */
const injects = ({ type, status }: Condition): boolean => type === CONDITIONS.faultsInjected && status === 'True'

function isBad({ type, status, reason }: Condition): boolean {
  if (type === CONDITIONS.partiallyInvalid) return status === 'True'
  return status === 'False' && reason !== REASONS.noSidecars
}

function table({ routes, endpoints, sidecars }: Overview): string {
  const sections = [
    section(
      ['SIDECAR', 'VERSION', 'ROUTES', 'STATE'],
      sidecars.map((it) => [it.pod, it.version ?? '', serves(it), stateOf(it)]),
    ),
    section(
      ['ROUTE', 'GENERATION', 'ACCEPTED', 'RESOLVED', 'PROGRAMMED'],
      routes.map(({ name, generation, status }) => [
        name,
        `${generation}`,
        condition(status, CONDITIONS.accepted),
        condition(status, CONDITIONS.resolvedRefs),
        status.programmed ?? '',
      ]),
    ),
    section(['ROUTE', 'RULE', 'TARGET', 'WEIGHT', 'PRIORITY', 'OBSERVED'], routes.flatMap(shares)),
    section(
      ['ROUTE', 'RULE', 'MIRROR', 'REQUESTS', 'ALIKE', 'MARKS', 'ERRORS', 'P95 MS', 'COST', 'SPENT', 'NOT MIRRORED'],
      routes.flatMap(mirrors),
    ),
    section(
      ['ENDPOINT', 'MODEL', 'HEALTHY', 'OPEN', 'SCARCE', 'ACCEPTED'],
      endpoints.flatMap(({ name, status }) =>
        (status.models ?? []).map((model) => [
          name,
          model.name,
          `${model.healthy}/${status.sidecars?.using ?? 0}`,
          `${model.open}`,
          `${model.scarce ?? 0}`,
          condition(status, CONDITIONS.accepted),
        ]),
      ),
    ),
  ].filter(Boolean)
  const text = sections.join('\n') || 'Nothing is there yet: no route, no endpoint, no sidecar.\n'
  const notes = [...routes, ...endpoints].flatMap(({ name, status }) =>
    (status.conditions ?? [])
      .filter((it) => isBad(it) || injects(it))
      .map((it) => {
        const { type, reason, message } = it
        return `${paint(injects(it) ? 'yellow' : 'red', `${name}: ${type} ${reason}`)}: ${message}\n`
      }),
  )
  return notes.length ? `${text}\n${notes.join('')}` : text
}

function section(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return rows.length ? columns([head, ...rows]) : ''
}

function condition(
  { conditions = [] }: Overview['routes'][number]['status'] | Overview['endpoints'][number]['status'],
  type: string,
): string {
  const found = conditions.find((it) => it.type === type)
  return found ? (found.status === 'True' ? 'True' : `${found.status} (${found.reason})`) : ''
}

function serves({ routes }: SidecarOverview): string {
  return `${routes.filter(({ serves }) => serves === 'Current').length}/${routes.length}`
}

function stateOf({ connected, refused, lacks, routes }: SidecarOverview): string {
  if (!connected) return 'not connected'
  if (refused)
    return `refused: ${refused.map(({ resource, path, message }) => `${resource}${path}: ${message}`).join('; ')}`
  const behind = routes.filter(({ serves }) => serves !== 'Current').map(({ name }) => name)
  if (behind.length) return `behind with ${behind.join(', ')}`
  return lacks.length ? `too old for ${lacks.join(', ')}` : 'acknowledged'
}

/** How each candidate differs from what answers: its own figure, then the other. */
function mirrors({ name, status }: Overview['routes'][number]): string[][] {
  return (status.mirrors ?? []).map((it) => {
    const { candidate, current } = it
    const beside = (of: 'p95' | 'cost') => `${candidate[of] ?? '?'} for ${current[of] ?? '?'}`
    return [
      name,
      it.rule,
      it.target,
      `${it.requests}`,
      it.agreement === undefined ? '' : `${Math.round(Number(it.agreement) * 1000) / 10} % of ${it.compared}`,
      it.lead === undefined ? '' : `${signed(it.lead.estimate)} (${signed(it.lead.lower)} to ${signed(it.lead.upper)})`,
      `${candidate.errors} for ${current.errors}`,
      ...(it.requests > 0 ? [beside('p95'), beside('cost')] : ['', '']),
      `${it.spent} USD`,
      it.skipped.map(({ reason, count }) => `${count} ${reason}`).join(', '),
    ]
  })
}

const signed = (text: string): string => (text.startsWith('-') ? text : `+${text}`)

/** The share that each target of a route was observed to get, of the attempts of its rule. */
function shares({ name, status }: Overview['routes'][number]): string[][] {
  return (status.rules ?? []).flatMap((rule) => {
    const all = rule.targets.reduce((sum, { requests }) => sum + requests, 0)
    return rule.targets.map(({ endpoint, model = '', weight, priority, requests }) => [
      name,
      rule.name,
      `${endpoint} ${model}`.trim(),
      `${weight}`,
      `${priority}`,
      all === 0 ? '-' : `${((requests / all) * 100).toFixed(1)} % of ${all}`,
    ])
  })
}
