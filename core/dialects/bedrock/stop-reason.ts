import type { FinishReason } from '../../chat.ts'
import { Malformed } from '../dialect.ts'

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseResponse.html */
const reasons: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['guardrail_intervened', 'content_filter'],
  ['content_filtered', 'content_filter'],
  ['refusal', 'content_filter'],
])

/**
 * What ended an answer; reasons that are not listed end a turn that is whole as far as it goes. `calls`: it has calls of tools. Throws
 * `Malformed` where the model's own words could not be read, so that it is asked again.
 */
export function finishOf(stopReason: unknown, calls: boolean): FinishReason {
  if (typeof stopReason !== 'string') throw new Malformed('The answer has no stop reason.')
  if (stopReason.startsWith('malformed_')) throw new Malformed(`The model made something that is none: ${stopReason}.`)
  const reason = reasons.get(stopReason) ?? 'stop'
  if (reason === 'stop') return calls ? 'tool_calls' : 'stop'
  // The only call was that of the tool which stands for the answer.
  return reason === 'tool_calls' && !calls ? 'stop' : reason
}

/** `calls`: the answer has calls of tools, which some servers end with `stop`; clients of the dialect go by the reason alone. */
export function stopReasonOf(finish: FinishReason, calls: boolean, stopSequence: string | undefined): string {
  switch (finish) {
    case 'stop':
      return calls ? 'tool_use' : stopSequence === undefined ? 'end_turn' : 'stop_sequence'
    case 'length':
      return 'max_tokens'
    case 'tool_calls':
      return 'tool_use'
    case 'content_filter':
      return 'content_filtered'
  }
}
