/**
 * Every name that telemetry shows to the world, once: metrics, labels, span attributes and the fields of log lines. Those of OpenTelemetry's
 * semantic conventions for generative AI are used where there are any (in metrics with underscores and units, as Prometheus has them).
 */

export const METRIC = {
  duration: 'gen_ai_client_operation_duration_seconds',
  tokenUsage: 'gen_ai_client_token_usage',
  timeToFirstToken: 'gen_ai_server_time_to_first_token_seconds',
  timePerOutputToken: 'gen_ai_server_time_per_output_token_seconds',
  requests: 'tradewind_requests_total',
  attempts: 'tradewind_attempts_total',
  retries: 'tradewind_retries_total',
  fallbacks: 'tradewind_fallbacks_total',
  rescues: 'tradewind_rescues_total',
  gatedRequests: 'tradewind_gated_requests_total',
  gatedAnswers: 'tradewind_gated_answers_total',
  escalations: 'tradewind_escalations_total',
  tokens: 'tradewind_tokens_total',
  wasted: 'tradewind_wasted_tokens_total',
  cost: 'tradewind_cost_usd_total',
  unpriced: 'tradewind_unpriced_attempts_total',
  breakerState: 'tradewind_breaker_state',
  latency: 'tradewind_model_latency_seconds',
  rateLimit: 'tradewind_rate_limit_remaining_ratio',
  addresses: 'tradewind_endpoint_addresses',
  inFlight: 'tradewind_endpoint_in_flight',
  configInfo: 'tradewind_config_info',
  configAge: 'tradewind_config_age_seconds',
  routeGeneration: 'tradewind_route_generation',
  audits: 'tradewind_audits_total',
  auditAlarms: 'tradewind_audit_alarms_total',
  mirrored: 'tradewind_mirrored_total',
  mirrorAgreement: 'tradewind_mirror_agreement_total',
  mirrorSpent: 'tradewind_mirror_spent_usd_total',
  artefactInfo: 'tradewind_artefact_info',
  artefactExpiry: 'tradewind_artefact_expiry_timestamp_seconds',
  promiseThreshold: 'tradewind_promise_threshold',
  promiseEvidence: 'tradewind_promise_evidence',
  stability: 'tradewind_population_stability_index',
  connected: 'tradewind_operator_connected',
  linesDropped: 'tradewind_log_lines_dropped_total',
  feedback: 'tradewind_feedback_total',
  decisionsDropped: 'tradewind_decisions_dropped_total',
  faultsInjected: 'tradewind_faults_injected_total',
  faultsActive: 'tradewind_faults_active',
} as const

export const LABEL = {
  operation: 'gen_ai_operation_name',
  provider: 'gen_ai_provider_name',
  requestModel: 'gen_ai_request_model',
  tokenType: 'gen_ai_token_type',
  errorType: 'error_type',
  route: 'route',
  rule: 'rule',
  endpoint: 'endpoint',
  model: 'model',
  status: 'status',
  code: 'code',
  stream: 'stream',
  why: 'why',
  check: 'check',
  reason: 'reason',
  direct: 'direct',
  outcome: 'outcome',
  state: 'state',
  kind: 'kind',
  digest: 'digest',
  destination: 'destination',
  verdict: 'verdict',
  alike: 'alike',
  artefact: 'artefact',
  segment: 'segment',
  of: 'of',
  type: 'type',
} as const

/** https://github.com/open-telemetry/semantic-conventions-genai and the HTTP conventions. */
export const ATTRIBUTE = {
  operation: 'gen_ai.operation.name',
  provider: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cachedTokens: 'gen_ai.usage.cache_read.input_tokens',
  cost: 'tradewind.cost_usd',
  finishReasons: 'gen_ai.response.finish_reasons',
  timeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  stream: 'gen_ai.request.stream',
  errorType: 'error.type',
  method: 'http.request.method',
  path: 'url.path',
  status: 'http.response.status_code',
  userAgent: 'user_agent.original',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  requestId: 'tradewind.request_id',
  route: 'tradewind.route',
  rule: 'tradewind.rule',
  endpoint: 'tradewind.endpoint',
  attempts: 'tradewind.attempts',
  reason: 'tradewind.attempt.reason',
  injected: 'tradewind.attempt.faults_injected',
  rescue: 'tradewind.rescue.outcome',
  gateFirst: 'tradewind.gate.first',
  gateFinal: 'tradewind.gate.final',
  gateReason: 'tradewind.gate.reason',
  gateDirect: 'tradewind.gate.direct',
  gateChecks: 'tradewind.gate.failed_checks',
  escalations: 'tradewind.gate.escalations',
} as const

/** `gen_ai.operation.name` by operation; what is not of generative AI has a word of its own. */
export const OPERATION = {
  chat: 'chat',
  completions: 'text_completion',
  embeddings: 'embeddings',
  responses: 'chat',
  images: 'image_generation',
  speech: 'speech_generation',
  transcriptions: 'transcription',
  moderations: 'moderation',
  rerank: 'rerank',
  count_tokens: 'count_tokens',
  infer: 'inference',
  health: 'health',
  feedback: 'feedback',
  realtime: 'realtime',
  models: 'list_models',
  opaque: 'pass_through',
} as const

/** Span events, and events of logs. */
export const EVENT = {
  /** An answer stopped after its first byte; `ATTRIBUTE.rescue` says what became of it. */
  rescue: 'tradewind.rescue',
  /** Names of log records: a line of the decision log, and a feedback to one. */
  decision: 'tradewind.decision',
  feedback: 'tradewind.feedback',
} as const

/** `service.name` and the name of the tracer. */
export const SERVICE = 'tradewind-sidecar'

/** The content type of Prometheus' text format. */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8'
