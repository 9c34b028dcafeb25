import type { FinishReason } from '../../chat.ts'

/** https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons */
const reasons: ReadonlyMap<string, FinishReason> = new Map<string, FinishReason>([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
])

/** The reasons that are not listed (`pause_turn`, `compaction`, and those to come) end a turn that is whole as far as it goes. */
export const finishOf = (stopReason: string): FinishReason => reasons.get(stopReason) ?? 'stop'

const words: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
}

/** `calls`: the answer has calls of tools, which some servers end with `stop`; clients of the dialect go by the reason alone. */
export function stopReasonOf(finish: FinishReason, calls: boolean, stopSequence: string | undefined): string {
  if (finish !== 'stop') return words[finish]
  return calls ? 'tool_use' : stopSequence === undefined ? 'end_turn' : 'stop_sequence'
}
