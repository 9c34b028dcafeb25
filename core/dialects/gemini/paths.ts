import type { Found } from '../../surfaces/surface.ts'

/** `/v1beta/models/M:METHOD`, with Vertex AI's longer forms of it; names of models may hold slashes and colons. */
const PATH =
  /^\/v1(?:alpha|beta|beta1)?\/(?:(?:projects\/[^/]+\/locations\/[^/]+\/)?publishers\/google\/)?(?:models|(tunedModels))\/(.+):(\w+)$/

/** What a path of the Gemini API says, for the method; undefined for others. */
export function foundAt(path: string, method: string, stream: boolean): Found | undefined {
  const [, tuned, name, last] = PATH.exec(path) ?? []
  if (name === undefined || last !== method) return undefined
  try {
    const model = decodeURIComponent(name)
    return { path, method: 'POST', model: tuned === undefined ? model : `${tuned}/${model}`, stream }
  } catch {
    return undefined
  }
}
