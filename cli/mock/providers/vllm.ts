import { isRecord } from '../text.ts'
import { invalid } from '../openai/words.ts'
import { openai } from './openai.ts'
import type { MockProvider } from './provider.ts'

/**
 * vLLM's server of OpenAI's dialect: https://docs.vllm.ai/en/stable/serving/openai_compatible_server.html. A last message of the assistant is gone on
 * with where the request says so; else it is history, and a new answer begins.
 */
export const vllm: MockProvider = {
  ...openai,
  name: 'vllm',
  answer(request, served) {
    const { body } = request
    if (request.path !== '/v1/chat/completions' || !isRecord(body)) return openai.answer(request, served)
    const { continue_final_message: goesOn = false, add_generation_prompt: begins = true, messages, ...rest } = body
    if (goesOn === true && begins === true)
      throw invalid('Cannot set both `continue_final_message` and `add_generation_prompt` to True.')
    const list: readonly unknown[] = Array.isArray(messages) ? messages : []
    const last = list.at(-1)
    const answered = isRecord(last) && last['role'] === 'assistant'
    if (goesOn === true && !answered)
      throw invalid('continue_final_message is set but the final message is no assistant’s.')
    const heard = answered && goesOn !== true ? list.slice(0, -1) : list
    return openai.answer({ ...request, body: { ...rest, messages: heard } }, served)
  },
}
