import { bearer } from './provider.ts'
import type { Provider } from './provider.ts'

/**
 * Servers of models that are not of language, by the Open Inference Protocol v2: KServe, Triton, Seldon, OpenVINO and others. The address is
 * the server's, without `/v2`.
 */
export const openInference = {
  type: 'OpenInference',
  genAi: 'open_inference',
  auth: bearer,
  native(surface, model, _stream, _settings, found) {
    return surface === 'infer' ? { path: `/v2/models/${encodeURIComponent(model)}${found?.rest ?? ''}` } : undefined
  },
} as const satisfies Provider
