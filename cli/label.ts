import { InvalidArgumentError, Option } from 'commander'

type Labels = Readonly<Record<string, string>>

/** The option `--label name=value`, of a pod; it may be given several times. */
export function labelOption(description: string): Option {
  return new Option('-l, --label <label>', `${description}, name=value; may be given several times`)
    .argParser((text: string, before: Labels): Labels => {
      const [, name, value] = /^([^=\s]+)=(.*)$/.exec(text) ?? []
      if (name === undefined || value === undefined) throw new InvalidArgumentError('It must be like app=support.')
      return { ...before, [name]: value }
    })
    .default({})
}
