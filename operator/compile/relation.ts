const NONE: readonly string[] = []

/** Who refers to what, asked from the other end: each of a set of users has a list of things, and each thing knows its users. */
export class Relation {
  readonly #things = new Map<string, readonly string[]>()
  readonly #users = new Map<string, Set<string>>()

  /** Replaces what a user refers to. */
  set(user: string, things: readonly string[]): void {
    for (const thing of this.#things.get(user) ?? NONE) {
      const users = this.#users.get(thing)
      users?.delete(user)
      if (users?.size === 0) this.#users.delete(thing)
    }
    if (things.length === 0) this.#things.delete(user)
    else this.#things.set(user, things)
    for (const thing of things) {
      const users = this.#users.get(thing)
      if (users) users.add(user)
      else this.#users.set(thing, new Set([user]))
    }
  }

  /** Who refers to it. */
  of(thing: string): readonly string[] {
    const users = this.#users.get(thing)
    return users ? [...users] : NONE
  }
}
