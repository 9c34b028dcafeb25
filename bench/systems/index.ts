import type { System } from '../system.ts'
import { direct } from './direct.ts'
import { envoy } from './envoy.ts'
import { litellm } from './litellm.ts'
import { nginx } from './nginx.ts'
import { portkey } from './portkey.ts'
import { tradewind } from './tradewind.ts'

/** Every system that is measured, in the order of the tables. */
export const systems: readonly System[] = [direct, tradewind, nginx, envoy, portkey, litellm]

/** The names of all others than ours: for work that only we do here. */
export const peers: readonly string[] = systems.filter((it) => it !== tradewind).map(({ name }) => name)
