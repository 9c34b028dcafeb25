import type { CompiledBody, CompiledResource, ResourceKey, ResourceKind } from '../../api/compiled.ts'
import { digest } from '../../core/digest.ts'

/** A body with its digest; `before` itself where nothing differs, so that identity says what changed. */
export function resource<Body extends CompiledBody>(
  body: Body,
  before: CompiledResource | undefined,
): CompiledResource {
  const now = digest(body)
  return before?.digest === now ? before : { digest: now, body }
}

/** The key of a resource of an object's full name, `namespace/name`. */
export function keyOf(kind: ResourceKind, name: string): ResourceKey {
  return `${kind}/${name}` as ResourceKey // a full name has the second slash
}
