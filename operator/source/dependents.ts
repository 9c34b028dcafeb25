import type { ModelEndpoint } from '../../api/model-endpoint.ts'
import type { LabelSelector } from '../../api/selector.ts'

/** What has to be watched to know where an endpoint is: the Services of its namespace, or the pods that it selects. */
export interface Need {
  /** Equal needs share one watch. */
  readonly key: string
  readonly kind: 'Services' | 'Pods'
  readonly namespace: string
  /** As a query, for pods. */
  readonly labelSelector: string
}

/** The watch that an endpoint needs; undefined for one with a URL. Only what some endpoint needs is watched. */
export function needOf({ metadata: { namespace }, spec: { address } }: ModelEndpoint): Need | undefined {
  if (address?.service) return { key: `Services ${namespace}`, kind: 'Services', namespace, labelSelector: '' }
  if (!address?.pods) return undefined
  const labelSelector = selectorQuery(address.pods.selector)
  return { key: `Pods ${namespace} ${labelSelector}`, kind: 'Pods', namespace, labelSelector }
}

/** A `metav1.LabelSelector` as the API's query has it. */
function selectorQuery({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const requirements = [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values = [] }) => {
      switch (operator) {
        case 'In':
          return `${key} in (${values.join(',')})`
        case 'NotIn':
          return `${key} notin (${values.join(',')})`
        case 'Exists':
          return key
        case 'DoesNotExist':
          return `!${key}`
      }
    }),
  ]
  return requirements.sort().join(',')
}
