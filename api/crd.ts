import { API_VERSION, GROUP, VERSION } from './resource.ts'
import type { Schema } from '../core/schema.ts'

/** What the file of a kind exports: all that its CustomResourceDefinition, validator and reference page are made of. */
export interface Kind {
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly description: string
  readonly spec: Schema
  readonly status: Schema
  readonly columns: readonly {
    readonly name: string
    readonly type: string
    readonly jsonPath: string
    readonly description: string
    readonly priority?: number
  }[]
}

/** The name of the kind's CustomResourceDefinition, such as `modelroutes.tradewind.dev`. */
export function crdName({ plural }: Pick<Kind, 'plural'>): string {
  return `${plural}.${GROUP}`
}

/** The `apiextensions.k8s.io/v1` CustomResourceDefinition of a kind; its schemas are structural as they are. */
export function crd(kind: Kind, annotations: Readonly<Record<string, string>> = {}): object {
  const { plural, singular, shortNames, columns, description, spec, status } = kind
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: crdName(kind), ...(Object.keys(annotations).length ? { annotations } : {}) },
    spec: {
      group: GROUP,
      scope: 'Namespaced',
      names: {
        kind: kind.kind,
        listKind: `${kind.kind}List`,
        plural,
        singular,
        shortNames,
        categories: ['tradewind'],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: columns,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description,
              required: ['spec'],
              properties: {
                apiVersion: { type: 'string', description: `\`${API_VERSION}\`.` },
                kind: { type: 'string', description: `\`${kind.kind}\`.` },
                metadata: { type: 'object' },
                spec,
                status,
              },
            },
          },
        },
      ],
    },
  }
}
