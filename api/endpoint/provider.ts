import { providers, providerTypes } from '../../core/providers/index.ts'
import { choice, object, optional } from '../../core/schema.ts'
import type { Rule, Schema } from '../../core/schema.ts'

/** The settings of providers that have some, each under its own name: a union of `type` and one member. */
const members: { readonly [name: string]: Schema } = Object.fromEntries(
  providers.flatMap(({ settings }) => (settings ? [[settings.name, optional(settings.schema)] as const] : [])),
)
const memberRules: readonly Rule[] = providers.flatMap(({ type, settings }) => {
  if (!settings) return []
  const { name, required } = settings
  return [
    {
      rule: required ? `(self.type == '${type}') == has(self.${name})` : `self.type == '${type}' || !has(self.${name})`,
      message: required
        ? `${name} is needed for provider ${type}, and only there.`
        : `${name} is for provider ${type} only.`,
      fieldPath: `.${name}`,
    },
  ]
})

export const provider = object(
  {
    type: choice(providerTypes, {
      description: 'The dialect that the endpoint speaks. HTTP is opaque pass-through.',
    }),
    ...members,
  },
  { description: 'Who answers.', rules: memberRules },
)

/** Providers with an address of their own, always or on a condition. */
const addressed = providers.filter((it) => it.url !== undefined && !it.urlWhen).map(({ type }) => `'${type}'`)
const addressedWhen = providers.flatMap(({ type, urlWhen }) =>
  urlWhen ? [`(self.provider.type == '${type}' && ${urlWhen})`] : [],
)

/** The condition (CEL, of the spec) on which the endpoint has an address, its own or its provider's. */
export const hasAddress = [
  `self.provider.type in [${addressed.join(', ')}]`,
  ...addressedWhen,
  'has(self.address)',
].join(' || ')
