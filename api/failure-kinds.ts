/**
 * The words of `retry.on` and `fallback.on`. Apart from the kinds, since the sidecar needs them and not the two kinds' whole schemas.
 */
export const RETRY_ON = ['Connect', 'Reset', 'Timeout', 'Status5xx', 'Status429'] as const
export const FALLBACK_ON = [...RETRY_ON, 'ContextLength', 'ContentFilter', 'Truncated'] as const
