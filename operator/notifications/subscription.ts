import { DNS_LABEL } from '../../api/names.ts'
import { structure } from '../../api/structure.ts'
import { PHASES } from '../../core/rollout/state.ts'
import { array, choice, object, optional, string } from '../../core/schema.ts'
import type { Static } from '../../core/schema.ts'
import { WORDS } from './message.ts'

const schema = object({
  subscriptions: array(
    object({
      url: string({ maxLength: 2048, pattern: '^https?://', description: 'Where it is posted to.' }),
      secret: optional(string({ maxLength: 512, minLength: 8, description: 'What it is signed with.' })),
      format: choice(['CloudEvents', 'Text'], {
        default: 'CloudEvents',
        description: 'A CloudEvent, or {"text": …} alone.',
      }),
      on: array(choice(PHASES), {
        minItems: 1,
        maxItems: PHASES.length,
        default: [...PHASES],
        description: 'The phases to tell of.',
      }),
      namespaces: optional(
        array(string({ maxLength: 63, pattern: DNS_LABEL }), {
          minItems: 1,
          maxItems: 256,
          description: 'Left out: all.',
        }),
      ),
      template: string({
        maxLength: 2048,
        minLength: 1,
        default: 'Rollout of {route}, rule {rule}: {phase} ({reason}). {message}',
        description: 'The text.',
      }),
    }),
    { maxItems: 32 },
  ),
})

/** Who wants to hear of which rollouts, and how. */
export type Subscription = Static<typeof schema>['subscriptions'][number]

const check = structure(schema)

/**
 * Reads a JSON list of subscriptions; `${NAME}` in one's url and secret is of the environment. Throws an Error that says what is wrong, and
 * nothing of what is secret.
 */
export function readSubscriptions(text: string, environment: NodeJS.ProcessEnv): readonly Subscription[] {
  let subscriptions: unknown
  try {
    subscriptions = JSON.parse(text, (key, value: unknown) =>
      (key === 'url' || key === 'secret') && typeof value === 'string' ? expanded(value, environment) : value,
    )
  } catch (error) {
    throw new Error(error instanceof Unset ? error.message : 'it must be a JSON list', { cause: error })
  }
  const whole = { subscriptions }
  const [problem] = check(whole, '')
  if (problem)
    throw new Error(
      `${problem.path.replace(/^\.?subscriptions/, '') || 'it'}: ${/\.(url|secret)$/.test(problem.path) ? 'it must be a URL, or a secret of at least 8 characters' : problem.message}`,
    )
  const read = whole.subscriptions as readonly Subscription[] // as just checked
  for (const [at, { url, template }] of read.entries()) {
    if (!URL.canParse(url)) throw new Error(`[${at}].url: it must be a URL`)
    const unknown = [...template.matchAll(/\{(\w+)\}/g)]
      .map(([, word = '']) => word)
      .find((word) => !WORDS.some((it) => it === word))
    if (unknown !== undefined)
      throw new Error(
        `[${at}].template: there is no {${unknown}}; there are ${WORDS.map((word) => `{${word}}`).join(', ')}`,
      )
  }
  return read
}

class Unset extends Error {}

function expanded(text: string, environment: NodeJS.ProcessEnv): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = environment[name]
    if (!value) throw new Unset(`the variable ${name} is not set`)
    return value.trim()
  })
}
