import type { Capabilities } from '../dialects/dialect.ts'
import type { Signals } from '../signals/signals.ts'
import type { Out } from './out.ts'

/** What of a request decides who can take it. */
export type Asking = Pick<Signals, 'inputs' | 'tools' | 'jsonSchema' | 'tokens' | 'maxTokens'>

/** Whether anything is declared of a model that could keep a request from it, so that requests need not be looked at where nothing is. */
export function limited({ input, tools, jsonSchema, contextWindow, maxOutputTokens }: Capabilities): boolean {
  return (
    input !== undefined ||
    tools === false ||
    jsonSchema === false ||
    contextWindow !== undefined ||
    maxOutputTokens !== undefined
  )
}

/**
 * Why a model cannot take a request, by what its endpoint declares; undefined where it can. The size of a prompt is an estimate, so that
 * those it seems too long for are put off and not ruled out. `bytes`: of the whole body, which no prompt has more tokens than.
 */
export function incapable(capabilities: Capabilities, asking: Asking, bytes: number): Out | undefined {
  const { input, tools, jsonSchema, contextWindow, maxOutputTokens } = capabilities
  if (input !== undefined)
    for (const kind of asking.inputs)
      if (INPUTS.has(kind) && !input.has(kind))
        return { code: 'input', detail: `takes ${[...input].join(', ')}, and the request has ${kind}` }
  if (tools === false && asking.tools > 0) return { code: 'features', detail: 'has no Tools, and the request has some' }
  if (jsonSchema === false && asking.jsonSchema)
    return { code: 'features', detail: 'has no JSONSchema, and the request asks for one' }
  if (maxOutputTokens !== undefined && (asking.maxTokens ?? 0) > maxOutputTokens)
    return {
      code: 'output_tokens',
      detail: `answers with at most ${maxOutputTokens} tokens, and the request asks for ${asking.maxTokens}`,
    }
  if (contextWindow === undefined || bytes < contextWindow) return undefined
  const needed = asking.tokens + (asking.maxTokens ?? 0)
  if (needed <= contextWindow) return undefined
  return {
    code: 'context_window',
    detail: `has a window of ${contextWindow} tokens, and the request needs about ${needed}`,
  }
}

/** What `capabilities.input` may name. */
const INPUTS: ReadonlySet<string> = new Set(['Text', 'Image', 'Audio', 'File'])
