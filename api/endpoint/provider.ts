import { providers, providerTypes } from '../../core/providers/index.ts'
import { choice, object } from '../../core/schema.ts'
import { memberRules, members } from '../union.ts'

export const provider = object(
  {
    type: choice(providerTypes, {
      description: 'The dialect that the endpoint speaks. HTTP is opaque pass-through.',
    }),
    ...members(providers),
  },
  { description: 'Who answers.', rules: memberRules(providers, 'provider') },
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
