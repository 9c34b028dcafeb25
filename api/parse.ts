import { beyondRules } from './beyond-rules.ts'
import { brokenRules } from './cel.ts'
import { kinds } from './kinds.ts'
import { metadataProblems } from './metadata.ts'
import type { ModelEndpoint } from './model-endpoint.ts'
import type { ModelRoute } from './model-route.ts'
import { dropNulls } from './nulls.ts'
import type { Problem } from './problem.ts'
import { API_VERSION } from './resource.ts'
import { structure } from './structure.ts'

export type Parsed =
  | { readonly ok: true; readonly object: ModelRoute | ModelEndpoint }
  | { readonly ok: false; readonly problems: readonly Problem[] }

const checked = kinds.map((kind) => ({ ...kind, check: structure(kind.spec) }))

/**
 * A manifest as the API server would store it: checked, and with its defaults. What is wrong with it comes back with the path, the rule
 * and the words that the API server has for it. `namespace` is `default` where none is given; `status` is the operator's and not looked at.
 * `rules: false` is for what the API server itself has stored: its CEL rules held then, and take ten times the rest.
 */
export function parse(manifest: unknown, { rules = true }: { readonly rules?: boolean } = {}): Parsed {
  if (!isObject(manifest))
    return failed('', 'type', 'A manifest is an object with apiVersion, kind, metadata and spec.')
  const { apiVersion, kind: name, metadata, spec, status, ...unknown } = structuredClone(manifest)
  const kind = checked.find((each) => each.kind === name)
  if (apiVersion !== API_VERSION) return failed('apiVersion', 'enum', `apiVersion must be ${API_VERSION}.`)
  if (!kind) return failed('kind', 'enum', `kind must be ${kinds.map((each) => each.kind).join(' or ')}.`)

  const problems: Problem[] = [
    ...Object.keys(unknown).map((field) => ({ path: field, rule: 'unknown', message: 'unknown field' })),
    ...metadataProblems(metadata ?? {}),
  ]
  if (spec === undefined || spec === null) problems.push({ path: 'spec', rule: 'required', message: 'Required value' })
  else {
    dropNulls(kind.spec, spec)
    problems.push(...kind.check(spec, 'spec'))
    if (!problems.some(({ rule }) => BLOCKING.has(rule))) {
      if (rules) problems.push(...brokenRules(kind.spec, spec, 'spec'))
      const told = new Set(problems.map(({ path }) => path))
      problems.push(...beyondRules(kind.spec, spec, 'spec').filter(({ path }) => !told.has(path)))
    }
  }
  if (problems.length) return { ok: false, problems }
  const object = {
    apiVersion,
    kind: kind.kind,
    metadata: { namespace: 'default', ...(metadata as object) }, // metadataProblems found it to be one
    spec,
    ...(status === undefined ? {} : { status }),
  }
  // The schema from which the type is made has checked the spec; the status is written by operators alone, through the API server's checks.
  return { ok: true, object: object as unknown as ModelRoute | ModelEndpoint }
}

/** Errors after which the API server evaluates no CEL rules, since these might fail on values of another shape. */
const BLOCKING = new Set(['unknown', 'required', 'type', 'enum', 'maxLength', 'maxItems', 'maxProperties'])

function failed(path: string, rule: string, message: string): Parsed {
  return { ok: false, problems: [{ path, rule, message }] }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}
