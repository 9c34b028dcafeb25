import { saidTask } from '../signals/caller.ts'
import type { Caller } from '../signals/caller.ts'
import { content, UNKNOWN } from './match.ts'
import type { Asked, Condition } from './match.ts'

/** What the request is for; any of them. Who says it in the header needs no content that can be read. */
export const task: Condition = {
  compile({ task }, caller) {
    return task && ((asked) => task.includes(taskOf(asked, caller) ?? ''))
  },
  misses({ task = [] }, asked, caller) {
    const is = taskOf(asked, caller)
    return is === undefined ? UNKNOWN : `the task is ${is}, not ${task.join(' or ')}`
  },
}

const taskOf = (asked: Asked, caller: Caller): string | undefined =>
  content(asked)?.taskBy(caller) ?? saidTask((name) => asked.header(name), caller)
