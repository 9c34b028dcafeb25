import type { Check } from './check.ts'

/** A call is of a tool that there is not, or with arguments that its schema does not take. */
export const toolArguments: Check<unknown> = {
  early: false,
  make:
    () =>
    async (said, { request, schemas }) => {
      for (const call of said.calls) {
        let value: unknown
        try {
          value = JSON.parse(call.arguments === '' ? '{}' : call.arguments)
        } catch {
          return 'the arguments of a call are not JSON'
        }
        if (!request) continue
        const tool = request.tools.find(({ name }) => name === call.name)
        if (!tool) return 'it calls a tool that there is not'
        const fits = tool.parameters && (await schemas?.(tool.parameters))
        if (fits && !fits(value)) return 'the arguments of a call do not fit the tool’s schema'
      }
      return undefined
    },
}
