/** The arm of a target, which is its id: `namespace/name model`, or `namespace/name` where the endpoint has no models. */
export const armOf = ({ endpoint, model }: { readonly endpoint: string; readonly model: string }): string =>
  model === '' ? endpoint : `${endpoint} ${model}`
