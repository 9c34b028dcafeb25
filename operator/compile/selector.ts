import type { LabelSelector, NamespacePolicy } from '../../api/selector.ts'
import type { Labels, NamespaceView } from '../world.ts'

/** Whether all requirements of a label selector hold (`metav1.LabelSelector`); NotIn and DoesNotExist hold for a label that is missing. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  for (const [name, value] of Object.entries(selector.matchLabels ?? {})) if (labels[name] !== value) return false
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const value = labels[key]
    const holds =
      operator === 'Exists'
        ? value !== undefined
        : operator === 'DoesNotExist'
          ? value === undefined
          : operator === 'In'
            ? value !== undefined && values.includes(value)
            : value === undefined || !values.includes(value)
    if (!holds) return false
  }
  return true
}

/** The labels that a selector looks at. */
export function labelsOf(selector: LabelSelector): readonly string[] {
  return [
    ...Object.keys(selector.matchLabels ?? {}),
    ...(selector.matchExpressions ?? []).map((requirement) => requirement.key),
  ]
}

/** Whether a policy on an object of namespace `home` lets `visitor` in. A namespace of which nothing is known has its own name as label only. */
export function admits(
  policy: NamespacePolicy,
  home: string,
  visitor: string,
  namespaces: ReadonlyMap<string, NamespaceView>,
): boolean {
  if (visitor === home) return true
  const { from, selector } = policy.namespaces
  if (from === 'All') return true
  if (from === 'Same' || !selector) return false
  return selects(selector, { ...namespaces.get(visitor)?.labels, 'kubernetes.io/metadata.name': visitor })
}
