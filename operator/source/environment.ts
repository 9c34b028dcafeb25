import type { Problem } from '../world.ts'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Puts the values of environment variables in the place of `${NAME}`; `$${` is a `${` that is meant so. A variable that is not set is a
 * problem at `path`, and no part of any value is in its message.
 */
export function substitute(
  text: string,
  path: string,
  environment: Environment,
): { readonly value: string; readonly problems: readonly Problem[] } {
  const problems: Problem[] = []
  const value = text.replace(/\$(\$\{)|\$\{([^}]*)\}/g, (_, escaped: string | undefined, name: string) => {
    if (escaped) return escaped
    const found = environment[name]
    if (found === undefined || found === '') {
      const message = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name)
        ? `The environment variable ${name} is not set; set it before the start.`
        : `\${${name}} does not name an environment variable; write $\${ for a plain \${.`
      problems.push({ path, message })
    }
    return found ?? ''
  })
  return { value, problems }
}
