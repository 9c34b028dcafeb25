import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { load, loadAll } from 'js-yaml'
import { serverPath } from '../helpers/needs.ts'

export const chart = join(import.meta.dirname, '../../charts/tradewind')

/** A tree of values, as in values.yaml. */
export interface Values {
  readonly [name: string]: unknown
}

/** An object that the chart makes: what every kind has, and the rest to be looked at. */
export interface Rendered {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

const run = promisify(execFile)
const release = ['tradewind', chart, '--namespace', 'tradewind-system']

/** What `helm template` prints for these values: the templates, then NOTES.txt. Rejects with Helm's complaint. */
export async function template(values: Values = {}, kubeVersion = '1.36.3'): Promise<string> {
  const child = run(serverPath('helm'), ['template', ...release, '--kube-version', kubeVersion, '--values', '-'], {
    maxBuffer: 1 << 26,
  })
  child.child.stdin?.end(JSON.stringify(values))
  return (await child).stdout
}

/** The objects that the chart makes of these values. */
export async function render(values: Values = {}): Promise<readonly Rendered[]> {
  return parse(await template(values))
}

/** Reads what Helm printed. */
function parse(text: string): readonly Rendered[] {
  // Kubernetes objects all have these fields; the API server itself checks them in other tests.
  return (loadAll(text) as (Rendered | null)[]).filter((object) => object !== null)
}

/** The one object of that kind, whose name ends so. */
export function find(objects: readonly Rendered[], kind: string, ending = ''): Rendered {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name.endsWith(ending))
  const [object] = found
  if (!object || found.length > 1) throw new Error(`${found.length} objects of kind ${kind} named …${ending}`)
  return object
}

/** The defaults, as values.yaml has them. */
export function defaults(): Values {
  return load(readFileSync(join(chart, 'values.yaml'), 'utf8')) as Values // a mapping: Helm itself asks that of it
}

/** The paths of all values, with dots: a list or an empty map is one value. */
export function leaves(values: Values, path = ''): readonly string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    isTree(value) && Object.keys(value).length > 0 && !isMap(`${path}${name}`)
      ? leaves(value, `${path}${name}.`)
      : `${path}${name}`,
  )
}

/** Maps with defaults, which are replaced key by key and are one value. */
const isMap = (path: string) => path.endsWith('.resources')

function isTree(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Values with just this one given. */
export function only(path: string, value: unknown): Values {
  return path.split('.').reduceRight<unknown>((inner, name) => ({ [name]: inner }), value) as Values // a path has a part
}

/** The value at a path with dots. */
export function valueAt(values: Values, path: string): unknown {
  return path.split('.').reduce<unknown>((at, name) => (isTree(at) ? at[name] : undefined), values)
}

/** What is read of a JSON schema. */
interface Schema {
  readonly $ref?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly $defs?: Readonly<Record<string, Schema>>
}

/** What values.schema.json says of the value at a path. */
export function schemaOf(path: string): Schema {
  const root = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as Schema // Helm reads it as a schema too
  const resolve = (schema: Schema | undefined): Schema => {
    const named = schema?.$ref && root.$defs?.[schema.$ref.replace('#/$defs/', '')]
    return { ...named, ...schema }
  }
  return path.split('.').reduce((at, name) => resolve(at.properties?.[name]), root)
}
