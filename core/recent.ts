/**
 * The latest of many things by their keys: at least `least` of them, at most twice as many. They go by halves, so that keeping one costs the
 * same however many there were.
 */
export class Recent<V> {
  private readonly least: number
  private young = new Map<string, V>()
  private old = new Map<string, V>()

  constructor(least: number) {
    this.least = least
  }

  get(key: string): V | undefined {
    return this.young.get(key) ?? this.old.get(key)
  }

  set(key: string, value: V): void {
    this.young.set(key, value)
    if (this.young.size < this.least) return
    this.old = this.young
    this.young = new Map()
  }

  delete(key: string): void {
    this.young.delete(key)
    this.old.delete(key)
  }
}
