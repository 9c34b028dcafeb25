/** Members of a type while they are gathered: those that may be left out may also be undefined. */
export type Draft<T> = { -readonly [K in keyof T]: object extends Pick<T, K> ? T[K] | undefined : T[K] }

type Given<T> = { readonly [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  readonly [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>
}

/** The members that are not undefined: what was not given is left out, so that a request reads the same whoever wrote it. */
export function given<T extends object>(members: T): Given<T> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as Given<T> // those that were undefined are optional
}
