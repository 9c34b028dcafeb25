import { annotationFault, ROLLOUT_ANNOTATION, rulesWithRollout } from '../../api/rollout-annotation.ts'
import { canonical } from '../../core/digest.ts'
import type { Invalid, Problem, SliceView, Touched, World } from '../world.ts'
import type { Contents, Kind, Manifest, Objects } from './manifest.ts'

/** Something wrong in a folder of manifests. */
export interface Finding extends Problem {
  /** `KIND namespace/name`; empty where it is of no object. */
  readonly object: string
  /** An earlier version of the object goes on serving. */
  readonly kept: boolean
}

interface Kept {
  readonly manifest: Manifest
  readonly text: string
  readonly object: Objects[Kind]
}

type Maps = { readonly [K in Exclude<Kind, 'EndpointSlice'>]: Map<string, Objects[K]> }

/**
 * A world made of manifests. An object whose manifest no longer parses stays as it was last good, and what is wrong is told; one whose
 * manifest is gone, goes. Generations are counted from changes of the spec, as the API server does.
 */
export class Shelf {
  readonly #kept = new Map<string, Kept>()
  readonly #generations = new Map<string, { readonly generation: number; readonly spec: string }>()
  readonly #maps: Maps = {
    ModelRoute: new Map(),
    ModelEndpoint: new Map(),
    Secret: new Map(),
    ConfigMap: new Map(),
    Service: new Map(),
    Pod: new Map(),
    Namespace: new Map(),
  }
  readonly #slices = new Map<string, readonly SliceView[]>()
  readonly #invalid = new Map<string, Invalid>()
  #contents: ReadonlyMap<string, Contents> = new Map()
  #findings: readonly Finding[] = []

  readonly world: World = {
    routes: this.#maps.ModelRoute,
    endpoints: this.#maps.ModelEndpoint,
    invalid: this.#invalid,
    secrets: this.#maps.Secret,
    artefacts: this.#maps.ConfigMap,
    services: this.#maps.Service,
    slices: this.#slices,
    pods: this.#maps.Pod,
    namespaces: this.#maps.Namespace,
  }

  /** What is wrong with the manifests as they are now. */
  get findings(): readonly Finding[] {
    return this.#findings
  }

  /** Where an object of the world is written, `FILE:LINE`. */
  at(id: string): string | undefined {
    return this.#kept.get(id)?.manifest.at
  }

  /** Takes the files as they are now, by name; what differs for the world. */
  update(files: ReadonlyMap<string, Contents>): readonly Touched[] {
    const findings: Finding[] = []
    const manifests = new Map<string, Manifest>()
    const broken = new Map<string, readonly Problem[]>()
    const contents = new Map<string, Contents>()
    for (const [file, read] of files) {
      // What a file held before it broke is all that is known of it.
      const held = read.whole ? read : { ...read, manifests: this.#contents.get(file)?.manifests ?? [] }
      contents.set(file, held)
      for (const problem of read.problems)
        findings.push({ ...problem, object: '', kept: held.manifests.length > 0 && !read.whole })
      for (const manifest of held.manifests) {
        const id = idOf(manifest)
        const first = manifests.get(id)
        if (first) {
          const message = `${id} is at ${first.at} too; that one is used.`
          findings.push({ path: 'metadata.name', message, at: manifest.at, object: id, kept: false })
          continue
        }
        // A pod that has ended is none.
        if (!manifest.object && manifest.problems.length === 0) continue
        manifests.set(id, manifest)
        const problems = read.whole ? manifest.problems : read.problems
        if (problems.length > 0) broken.set(id, problems)
        if (read.whole)
          for (const problem of problems) findings.push({ ...problem, object: id, kept: this.#kept.has(id) })
        const fault = askedInVain(manifest)
        if (fault !== undefined)
          findings.push({ path: 'metadata.annotations', message: fault, at: manifest.at, object: id, kept: false })
      }
    }
    this.#contents = contents
    this.#findings = findings
    return [...this.#replace(manifests), ...this.#break(broken)]
  }

  *#replace(manifests: ReadonlyMap<string, Manifest>): Generator<Touched> {
    for (const [id, manifest] of manifests) {
      const before = this.#kept.get(id)
      if (!manifest.object) continue
      const text = canonical(manifest.object)
      if (before?.text === text) {
        this.#kept.set(id, { ...before, manifest })
        continue
      }
      const object = this.#numbered(id, manifest)
      this.#kept.set(id, { manifest, text, object })
      yield* this.#put(manifest, object, before?.object)
    }
    for (const [id, { manifest, object }] of this.#kept) {
      if (manifests.has(id)) continue
      this.#kept.delete(id)
      yield* this.#put(manifest, undefined, object)
    }
  }

  /** Of ours, with uid and generation, as the API server would give them. */
  #numbered(id: string, { object }: Manifest): Objects[Kind] {
    if (!object || !('spec' in object)) return object ?? fault()
    const spec = canonical(object.spec)
    const last = this.#generations.get(id)
    const generation = last?.spec === spec ? last.generation : (last?.generation ?? 0) + 1
    this.#generations.set(id, { generation, spec })
    return { ...object, metadata: { ...object.metadata, uid: id, generation } }
  }

  *#put(manifest: Manifest, after: Objects[Kind] | undefined, before: Objects[Kind] | undefined): Generator<Touched> {
    const { kind, name } = manifest
    if (kind !== 'EndpointSlice') {
      const map = this.#maps[kind] as Map<string, Objects[Kind]> // the map of its kind
      if (after) map.set(name, after)
      else map.delete(name)
      yield { kind, name }
      return
    }
    const slices = [before, after].filter((it) => it !== undefined) as SliceView[] // of kind EndpointSlice
    for (const service of new Set(slices.map((slice) => `${slice.namespace}/${slice.service}`))) {
      const all = [...this.#kept.values()].flatMap(({ object }) => ('addressType' in object ? [object] : []))
      const own = all.filter((slice) => `${slice.namespace}/${slice.service}` === service)
      if (own.length > 0) this.#slices.set(service, own)
      else this.#slices.delete(service)
      yield { kind, name: service }
    }
  }

  /** Notes which of our objects do not parse. */
  *#break(broken: ReadonlyMap<string, readonly Problem[]>): Generator<Touched> {
    for (const id of this.#invalid.keys()) {
      if (broken.has(id)) continue
      const { kind, name } = this.#invalid.get(id) ?? fault()
      this.#invalid.delete(id)
      yield { kind, name }
    }
    for (const [id, problems] of broken) {
      const [kind = '', name = ''] = id.split(' ')
      if (kind !== 'ModelRoute' && kind !== 'ModelEndpoint') continue
      const invalid: Invalid = { kind, name, generation: (this.#generations.get(id)?.generation ?? 0) + 1, problems }
      if (canonical(this.#invalid.get(id) ?? null) === canonical(invalid)) continue
      this.#invalid.set(id, invalid)
      yield { kind, name }
    }
  }
}

const idOf = ({ kind, name }: Pick<Manifest, 'kind' | 'name'>) => `${kind} ${name}`

function fault(): never {
  throw new Error('an object is missing that was there')
}

/** What a route's annotation asks of its rollouts that cannot be done: there is no webhook here to say so. */
function askedInVain({ object }: Manifest): string | undefined {
  if (!object || !('kind' in object) || object.kind !== 'ModelRoute') return undefined
  const asked = object.metadata.annotations?.[ROLLOUT_ANNOTATION]
  return asked === undefined ? undefined : annotationFault(asked, rulesWithRollout(object.spec.rules))
}
