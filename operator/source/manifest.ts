import type { ModelEndpoint } from '../../api/model-endpoint.ts'
import type { ModelRoute } from '../../api/model-route.ts'
import { kinds } from '../../api/kinds.ts'
import { parse } from '../../api/parse.ts'
import { GROUP } from '../../api/resource.ts'
import { documents, YamlError } from '../../api/yaml.ts'
import type { Document } from '../../api/yaml.ts'
import type { KubeObject } from '../reflector.ts'
import { ARTEFACT_LABEL } from '../world.ts'
import type { ArtefactView, NamespaceView, PodView, Problem, SecretView, ServiceView, SliceView } from '../world.ts'
import { substitute } from './environment.ts'
import { artefactView, namespaceView, podView, secretView, serviceView, sliceView } from './views.ts'

/** The kinds that are read, ours and those that ours refer to; manifests of other kinds are passed over. */
export interface Objects {
  readonly ModelRoute: ModelRoute
  readonly ModelEndpoint: ModelEndpoint
  readonly Secret: SecretView
  readonly ConfigMap: ArtefactView
  readonly Service: ServiceView
  readonly EndpointSlice: SliceView
  readonly Pod: PodView
  readonly Namespace: NamespaceView
}
export type Kind = keyof Objects

/** One manifest of a file: its object, of the kind that it says, or what is wrong with it. */
export interface Manifest {
  readonly kind: Kind
  /** `namespace/name`; a Namespace's own name. */
  readonly name: string
  /** `FILE:LINE` of its beginning. */
  readonly at: string
  readonly object: Objects[Kind] | undefined
  readonly problems: readonly Problem[]
}

/** What a file holds, and what is wrong with it beyond the manifests that it names. */
export interface Contents {
  readonly manifests: readonly Manifest[]
  /** False where it is no YAML, so that nothing can be said of what it holds. */
  readonly whole: boolean
  readonly problems: readonly Problem[]
}

/** The kinds of Kubernetes that are read. */
const API_VERSIONS: Readonly<Record<string, string>> = {
  Secret: 'v1',
  ConfigMap: 'v1',
  Service: 'v1',
  Pod: 'v1',
  Namespace: 'v1',
  EndpointSlice: 'discovery.k8s.io/v1',
}
/** Reads a file's manifests. `file` is its name for people. */
export function readManifests(file: string, text: string, environment: NodeJS.ProcessEnv): Contents {
  let found
  try {
    found = documents(text).flatMap(items)
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    const problem = { path: '', message: error.message, at: `${file}:${error.position.line}` }
    return { manifests: [], whole: false, problems: [problem] }
  }
  const read = found.flatMap((document) => readOne(file, document, environment) ?? [])
  return {
    manifests: read.filter(({ name }) => name !== ''),
    whole: true,
    problems: read.filter(({ name }) => name === '').flatMap(({ problems }) => problems),
  }
}

/** `kubectl get -o yaml` gives several objects as one list. */
function items(document: Document): readonly Document[] {
  const { items: list } = Object(document.value) as { items?: unknown } // whatever it is, it may have no such field
  if (!Array.isArray(list)) return [document]
  return list.map((value: unknown, i) => ({
    value,
    position: (path) => document.position(path === '' ? `items[${i}]` : `items[${i}].${path}`),
  }))
}

/** A manifest; its name is empty where it does not say one, or no kind that there is. Undefined for what is none of ours to read. */
function readOne(file: string, document: Document, environment: NodeJS.ProcessEnv): Manifest | undefined {
  const said = Object(document.value) as { [field: string]: unknown } // it may have any field or none
  const metadata = Object(said['metadata']) as { [field: string]: unknown } // as above
  const apiVersion = String(said['apiVersion'])
  const kind = String(said['kind'])
  const ours = kinds.some((it) => it.kind === kind)
  const theirs = API_VERSIONS[kind]
  if (!apiVersion.startsWith(`${GROUP}/`) && !(ours && !apiVersion.includes('/')) && theirs !== apiVersion)
    return undefined

  const namespace = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : 'default'
  const own = typeof metadata['name'] === 'string' ? metadata['name'] : ''
  const name = !own || !(ours || theirs) ? '' : kind === 'Namespace' ? own : `${namespace}/${own}`
  const at = `${file}:${document.position('').line}`
  const manifest = (object: Manifest['object'], problems: readonly Problem[]): Manifest => ({
    kind: kind as Kind, // where it is another, the name is empty
    name,
    at,
    object,
    problems: problems.map(({ path, message }) => ({ path, message, at: `${file}:${document.position(path).line}` })),
  })
  if (theirs === undefined) {
    const parsed = parse(document.value)
    return parsed.ok ? manifest(parsed.object, []) : manifest(undefined, parsed.problems)
  }
  // Those that hold an artefact say so; others are none of ours.
  if (kind === 'ConfigMap' && Object(metadata['labels'])[ARTEFACT_LABEL.name] !== ARTEFACT_LABEL.value) return undefined
  if (!own) return manifest(undefined, [{ path: 'metadata.name', message: 'Required value' }])
  const object = { ...said, metadata: { ...metadata, name: own, namespace } }
  try {
    const { made, problems } = view(kind, object, environment)
    return manifest(made, problems)
  } catch {
    return manifest(undefined, [{ path: '', message: `It cannot be read as a ${kind}.` }])
  }
}

type Made = { readonly made: Manifest['object']; readonly problems: readonly Problem[] }

function view(kind: string, object: KubeObject, environment: NodeJS.ProcessEnv): Made {
  if (kind === 'Secret') return secret(object, environment)
  if (kind === 'ConfigMap') return { made: artefactView(object), problems: [] }
  if (kind === 'Service') return { made: serviceView(object), problems: [] }
  if (kind === 'Pod') return { made: podView(object), problems: [] }
  if (kind === 'Namespace') return { made: namespaceView(object), problems: [] }
  const made = sliceView(object)
  const message = 'It carries no label kubernetes.io/service-name, which says whose it is.'
  return { made, problems: made ? [] : [{ path: 'metadata.labels', message }] }
}

/** `stringData` may name environment variables; what they hold is never written anywhere. */
function secret(object: KubeObject & { readonly stringData?: object }, environment: NodeJS.ProcessEnv): Made {
  const problems: Problem[] = []
  const said: Record<string, string> = {}
  for (const [key, text] of Object.entries(object.stringData ?? {})) {
    const { value, problems: found } = substitute(String(text), `stringData.${key}`, environment)
    problems.push(...found)
    said[key] = value
  }
  const plain = secretView(object)
  return { made: problems.length > 0 ? undefined : { ...plain, data: { ...plain.data, ...said } }, problems }
}
