import { optional } from '../core/schema.ts'
import type { Rule, Schema } from '../core/schema.ts'

/** One of a registry's kinds, with the member that holds settings of its own where it has some. */
interface Kind {
  readonly type: string
  readonly settings?: { readonly name: string; readonly schema: Schema; readonly required?: true }
}

/** The members of a union of `type` and one member: those of the kinds that have settings, each under its own name. */
export function members(kinds: readonly Kind[]): { readonly [name: string]: Schema } {
  return Object.fromEntries(
    kinds.flatMap(({ settings }) => (settings ? [[settings.name, optional(settings.schema)] as const] : [])),
  )
}

/** That each member stands with its own kind alone, and is there where that cannot do without. `word`: what a kind is called. */
export function memberRules(
  kinds: readonly {
    readonly type: string
    readonly settings?: Pick<NonNullable<Kind['settings']>, 'name' | 'required'>
  }[],
  word: string,
): readonly Rule[] {
  return kinds.flatMap(({ type, settings }) => {
    if (!settings) return []
    const { name, required } = settings
    return [
      {
        rule: required
          ? `(self.type == '${type}') == has(self.${name})`
          : `self.type == '${type}' || !has(self.${name})`,
        message: required
          ? `${name} is needed for ${word} ${type}, and only there.`
          : `${name} is for ${word} ${type} only.`,
        fieldPath: `.${name}`,
      },
    ]
  })
}
