/**
 * The words of `retry.when` and `fallback.when`. Apart from the kinds, since the sidecar needs them and not the two kinds' whole schemas.
 */
export const RETRY_WHEN = ['Connect', 'Reset', 'Timeout', 'Status5xx', 'Status429'] as const
export const FALLBACK_WHEN = [...RETRY_WHEN, 'ContextLength', 'ContentFilter', 'Truncated'] as const
