/** One thing that is wrong with a manifest. Path and message are those of the API server for the same manifest. */
export interface Problem {
  /** The field, such as `spec.rules[0].targets[1].weight`. */
  readonly path: string
  /** The JSON Schema keyword, `unknown` for a field that there is not, `duplicate`, or the text of a CEL rule. */
  readonly rule: string
  /** What is wrong and, for CEL rules, what to do. */
  readonly message: string
}

/** A field's path with one more step: a name, an index of a list, or the key of a map. */
export function below(path: string, step: string | number): string {
  if (typeof step === 'number') return `${path}[${step}]`
  return path === '' ? step : `${path}.${step}`
}
