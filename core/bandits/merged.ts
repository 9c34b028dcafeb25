import { Merged as Sum } from '../merging/merged.ts'
import { sumOf } from './share.ts'
import type { Dated } from './share.ts'

/** What a whole fleet knows of the arms of a rule. */
export class Merged extends Sum<Dated> {
  constructor(gamma: number) {
    super({ sum: (parts) => sumOf(parts, gamma), count: ({ evidence }) => evidence.count })
  }
}
