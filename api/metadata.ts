import { array, free, integer, map, object, optional, string } from '../core/schema.ts'
import type { Problem } from './problem.ts'
import { structure } from './structure.ts'

const text = (maxLength = 4096) => optional(string({ maxLength }))
const number = optional(integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
const entries = optional(array(free({ maxProperties: 64 }), { maxItems: 1024 }))

/** `metav1.ObjectMeta`, as far as it takes to tell its fields from unknown ones. */
const schema = object({
  name: string({ maxLength: 253, minLength: 1 }),
  generateName: text(),
  namespace: text(),
  labels: optional(map(string({ maxLength: 4096 }), { maxProperties: 1024 })),
  annotations: optional(map(string({ maxLength: 262_144 }), { maxProperties: 1024 })),
  uid: text(),
  resourceVersion: text(),
  generation: number,
  creationTimestamp: text(),
  deletionTimestamp: text(),
  deletionGracePeriodSeconds: number,
  ownerReferences: entries,
  finalizers: optional(array(string({ maxLength: 4096 }), { maxItems: 1024 })),
  managedFields: entries,
  selfLink: text(),
})
const check = structure(schema)

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const NAMESPACE = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const KEY =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/

/** What is wrong with an object's metadata; the forms of names and labels are those of `k8s.io/apimachinery/pkg/util/validation`. */
export function metadataProblems(metadata: unknown): Problem[] {
  const problems = check(metadata, 'metadata')
  if (problems.length) return problems
  // `check` has found it to be of the schema's shape.
  const {
    name,
    namespace = 'default',
    labels = {},
    annotations = {},
  } = metadata as {
    name: string
    namespace?: string
    labels?: Record<string, string>
    annotations?: Record<string, string>
  }
  const report = (field: string, rule: string, value: string, message: string): void => {
    problems.push({ path: `metadata.${field}`, rule, message: `Invalid value: ${JSON.stringify(value)}: ${message}` })
  }
  if (!NAME.test(name))
    report(
      'name',
      'name',
      name,
      'a name consists of lower case letters, digits, - and ., and starts and ends with a letter or digit',
    )
  if (!NAMESPACE.test(namespace) || namespace.length > 63)
    report('namespace', 'name', namespace, 'a namespace consists of at most 63 lower case letters, digits and -')
  for (const [key, value] of Object.entries(labels)) {
    if (!KEY.test(key))
      report(
        'labels',
        'key',
        key,
        'a label’s name is at most 63 letters, digits, -, _ and ., after an optional DNS name and /',
      )
    if (!VALUE.test(value))
      report('labels', 'value', value, 'a label’s value is at most 63 letters, digits, -, _ and .')
  }
  for (const key of Object.keys(annotations))
    if (!KEY.test(key))
      report(
        'annotations',
        'key',
        key,
        'an annotation’s name is at most 63 letters, digits, -, _ and ., after an optional DNS name and /',
      )
  return problems
}
