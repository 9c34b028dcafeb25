import express, { type Request, type Response, type Router } from 'express'
import type { Logger } from 'pino'
import { isBeyondRules } from '../api/beyond-rules.ts'
import { parse } from '../api/parse.ts'
import type { ModelEndpoint } from '../api/model-endpoint.ts'
import type { ModelRoute } from '../api/model-route.ts'
import type { Change, Objection, UserInfo } from './rollout-admission.ts'
import { inject, type InjectOptions, type Pod } from './inject.ts'
import type { Verdict } from './validate.ts'

/** What is read of an `admission.k8s.io/v1` request. */
interface AdmissionRequest {
  readonly uid: string
  readonly namespace?: string
  readonly name?: string
  readonly dryRun?: boolean
  readonly object: unknown
  readonly oldObject?: unknown
  readonly userInfo?: UserInfo
}
interface AdmissionReview {
  readonly apiVersion: string
  readonly kind: string
  readonly request: AdmissionRequest
}
interface AdmissionResponse {
  readonly allowed: boolean
  readonly patch?: string
  readonly patchType?: 'JSONPatch'
  readonly warnings?: readonly string[]
  readonly status?: { readonly code: number; readonly message: string }
}

export interface WebhookOptions {
  readonly inject: InjectOptions
  /** Namespaces whose pods never get a sidecar: the operator's own, kube-system. */
  readonly exempt: readonly string[]
  /** Brings the trusted roots to a namespace before its pod mounts them. */
  readonly publish: (namespace: string) => Promise<void>
  readonly validate: (object: ModelRoute | ModelEndpoint) => Verdict
  /** What speaks against a change of a route's rollout annotation. */
  readonly object: (change: Change) => Promise<Objection | undefined>
  readonly answered: (webhook: Webhook, allowed: boolean) => void
  readonly log: Logger
}

export type Webhook = 'inject' | 'validate' | 'rollout'

/**
 * The admission webhooks: `POST /inject`, `POST /validate`, and `POST /rollout`, which is asked only where an annotation may begin to move
 * rollouts, and must answer: others go without an operator, rights do not.
 */
export function webhooks({
  inject: options,
  exempt,
  publish,
  validate,
  object,
  answered,
  log,
}: WebhookOptions): Router {
  const router = express.Router()
  // An object of 1.5 MiB, the most that etcd takes, twice (its old version too), and some.
  router.use(express.json({ limit: '4mb' }))

  /** Unwraps a review and wraps its answer. */
  const review =
    (webhook: Webhook, decide: (request: AdmissionRequest) => Promise<AdmissionResponse>) =>
    async (request: Request, response: Response): Promise<void> => {
      const body: Partial<AdmissionReview> = Object(request.body)
      const { apiVersion, kind, request: asked } = body
      if (!asked?.uid || asked.object === undefined) {
        response.status(400).json({ error: { message: 'An AdmissionReview with a request was expected.' } })
        return
      }
      const decision = await decide(asked)
      answered(webhook, decision.allowed)
      response.json({ apiVersion, kind, response: { uid: asked.uid, ...decision } })
    }

  router.post(
    '/inject',
    review('inject', async ({ object, namespace = '', dryRun }) => {
      if (exempt.includes(namespace)) return { allowed: true }
      const injection = inject(object as Pod, options) // the webhook's rules send pods only
      if ('refused' in injection)
        return { allowed: false, status: { code: 403, message: `tradewind: ${injection.refused}` } }
      if (injection.patch.length === 0) return { allowed: true }
      // The pod starts without it too, and then waits for the root: better than not at all.
      if (!dryRun)
        await publish(namespace).catch((error: unknown) =>
          log.warn({ namespace, error: String(error) }, 'the roots could not be published before an injection'),
        )
      return {
        allowed: true,
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(injection.patch)).toString('base64'),
      }
    }),
  )

  router.post(
    '/validate',
    review('validate', async ({ object }) => {
      const parsed = parse(object)
      const beyond = parsed.ok ? undefined : parsed.problems.find(isBeyondRules)
      if (beyond) return { allowed: false, status: { code: 422, message: `${beyond.path}: ${beyond.message}` } }
      // The API server has checked it by the CRD that is installed; another version of it than ours is for the operator's status to tell.
      if (!parsed.ok)
        return { allowed: true, warnings: parsed.problems.slice(0, 5).map((it) => `${it.path}: ${it.message}`) }
      const { refused, warnings } = validate(parsed.object)
      return refused
        ? { allowed: false, warnings, status: { code: 422, message: refused } }
        : { allowed: true, warnings }
    }),
  )

  router.post(
    '/rollout',
    review('rollout', async ({ namespace = '', name = '', object: after, oldObject: before, userInfo: user = {} }) => {
      const against = await object({ namespace, name: name || nameOf(after), before, after, user })
      return against ? { allowed: false, status: against } : { allowed: true }
    }),
  )
  return router
}

/** A request to create has no name of its own where the object is to get a generated one. */
function nameOf(object: unknown): string {
  const { name } = (object as { metadata?: { name?: string } } | null)?.metadata ?? {} // an object of the API server's
  return name ?? ''
}
