import { array, choice, map, object, optional, string } from '../core/schema.ts'
import type { Static } from '../core/schema.ts'

const KEY = {
  maxLength: 317,
  minLength: 1,
  pattern: '^([a-z0-9A-Z]([-a-z0-9A-Z.]*[a-z0-9A-Z])?/)?[a-z0-9A-Z]([-a-z0-9A-Z_.]*[a-z0-9A-Z])?$',
}
const VALUE = { maxLength: 63, pattern: '^([a-z0-9A-Z]([-a-z0-9A-Z_.]*[a-z0-9A-Z])?)?$' }

/** A Kubernetes label selector (`metav1.LabelSelector`): all its requirements hold; an empty one selects everything. */
export const labelSelector = (description: string) =>
  object(
    {
      matchLabels: optional(
        map(string({ ...VALUE, description: 'The value that the label must have.' }), {
          maxProperties: 16,
          description: 'Labels that must be there with exactly these values.',
        }),
      ),
      matchExpressions: optional(
        array(
          object(
            {
              key: string({ ...KEY, description: 'The label.' }),
              operator: choice(['In', 'NotIn', 'Exists', 'DoesNotExist'], {
                description: 'How the label is compared with the values.',
              }),
              values: optional(
                array(string({ ...VALUE, description: 'A value of the label.' }), {
                  maxItems: 32,
                  description: 'The values for In and NotIn.',
                }),
              ),
            },
            {
              description: 'One requirement.',
              rules: [
                {
                  rule: "self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",
                  message: 'In and NotIn need values; Exists and DoesNotExist take none.',
                },
              ],
            },
          ),
          { maxItems: 16, description: 'Requirements on labels, all of which must hold.' },
        ),
      ),
    },
    { description },
  )

export type LabelSelector = Static<ReturnType<typeof labelSelector>>

/** Which namespaces something is open to. */
export const namespaces = (description: string) =>
  object(
    {
      namespaces: object(
        {
          from: choice(['Same', 'All', 'Selector'], {
            default: 'Same',
            description: 'Same: the endpoint’s own namespace; All: every one; Selector: those whose labels match.',
          }),
          selector: optional(
            labelSelector('Which namespaces, by their labels. Needed by, and only for, `from: Selector`.'),
          ),
        },
        {
          default: {},
          description: 'The namespaces.',
          rules: [
            {
              rule: "(self.from == 'Selector') == has(self.selector)",
              message: 'selector goes with from: Selector, and only with it.',
              fieldPath: '.selector',
            },
          ],
        },
      ),
    },
    { default: {}, description },
  )
export type NamespacePolicy = Static<ReturnType<typeof namespaces>>
