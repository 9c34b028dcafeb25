import { hash } from 'node:crypto'
import { rendezvous } from '../sticky.ts'

/** One of the alternatives that an experiment compares. */
export interface Arm {
  readonly name: string
  readonly weight: number
}

/** How an experiment divides what it is assigned by. */
export interface Division<A extends Arm = Arm> {
  /** Another salt is another draw. */
  readonly salt: string
  /** The part of a layer's hash space that it has, in percent from 0; undefined: everything. */
  readonly layer?: { readonly name: string; readonly from: number; readonly to: number } | undefined
  readonly arms: readonly A[]
}

/** Where a unit belongs. */
export interface Assignment<A extends Arm = Arm> {
  readonly arm: A
  /** The cluster of units of its arm that it is counted with, 0…`CLUSTERS` − 1. */
  readonly cluster: number
}

/**
 * Clusters of an arm. Requests of one unit depend on each other, units do not; units are thrown together at random into so many clusters,
 * whose sums are what is kept, however many units there are. More make the variance surer and the evidence larger: with 32 an interval is
 * 4 % wider than with any number.
 */
export const CLUSTERS = 32

/**
 * The arm of a unit, such as a user's id; undefined where the unit is not of the experiment's part of its layer. Each of the three draws is a
 * hash of its own (Tang, Agarwal, O'Brien and Meyer, Overlapping experiment infrastructure, KDD 2010): that of the layer by the layer's name
 * alone, so that parts of one layer exclude each other and layers are independent; that of the arm by weighted rendezvous of salt and unit,
 * so that a weight that changes moves only the units that it must.
 */
export function assign<A extends Arm>({ salt, layer, arms }: Division<A>, unit: string): Assignment<A> | undefined {
  if (layer) {
    const place = 100 * fraction('layer', layer.name, unit)
    if (place < layer.from || place >= layer.to) return undefined
  }
  const named = arms.map((arm) => ({ arm, id: arm.name, weight: arm.weight }))
  const owner = rendezvous(named, `arm\0${salt}\0${unit}`)
  if (!owner) return undefined
  return { arm: owner.arm, cluster: Math.floor(CLUSTERS * fraction('cluster', salt, unit)) }
}

/** A number in [0, 1) that looks drawn at random and is always the same. */
function fraction(purpose: string, salt: string, unit: string): number {
  return hash('sha256', `${purpose}\0${salt}\0${unit}`, 'buffer').readUIntBE(0, 6) / 2 ** 48
}

/** What the sums of a cluster are kept under. */
export const clusterName = (arm: string, cluster: number): string => `${arm}#${cluster}`
