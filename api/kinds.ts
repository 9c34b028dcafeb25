import type { Kind } from './crd.ts'
import { modelEndpoint } from './model-endpoint.ts'
import { modelRoute } from './model-route.ts'

/** Both kinds: what is generated, validated and documented. */
export const kinds = [modelEndpoint, modelRoute] as const satisfies readonly Kind[]
