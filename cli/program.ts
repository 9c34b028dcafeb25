import { styleText } from 'node:util'
import { Command, Help } from 'commander'
import type { Option } from 'commander'
import { RELEASE } from '../api/release.ts'
import { commands } from './commands.ts'
import { EXIT } from './failure.ts'

/** The command line with nothing loaded but the subcommand that `argv` names (all of them for `all`). */
export async function program(argv: readonly string[] | 'all', name = 'tradewind'): Promise<Command> {
  const root = new Command(name)
    .description('Routes each LLM or ML request to the cheapest endpoint that is good enough, and proves that it was.')
    .version(RELEASE, '-V, --version', 'print the version')
    .showSuggestionAfterError()
    .configureHelp({ styleTitle: (title) => styleText('bold', title), optionDescription: describe })
    .configureOutput({
      // Usage errors are one line, with where to read on.
      outputError: (message, write) =>
        write(
          `${message
            .trimEnd()
            .replaceAll('\n', ' ')
            .replace(/[^.?)]$/, '$&.')} See ${name} --help.\n`,
        ),
    })
    .addHelpText(
      'after',
      `\nExit codes: ${EXIT.ok} all is well, ${EXIT.problem} a problem was found, ${EXIT.usage} the command line is wrong, ${EXIT.late} what was\nwaited for has not come in time.`,
    )
    .exitOverride()
  const called = argv === 'all' ? undefined : argv.find((word) => !word.startsWith('-'))
  // `help NAME` shows the named one's.
  const wanted = called === 'help' && argv !== 'all' ? argv[argv.indexOf('help') + 1] : called
  for (const { name: command, summary, load } of commands) {
    const known = argv === 'all' || command === wanted ? await load() : new Command(command).description(summary)
    root.addCommand(inherit(known, root))
  }
  return root
}

/** That a flag is not set, or a list empty, unless it is given, goes without saying. */
function describe(option: Option): string {
  const { defaultValue: value } = option
  const plain =
    value === false || value === '' || (value !== null && typeof value === 'object' && Object.keys(value).length === 0)
  return new Help().optionDescription(
    plain && !option.defaultValueDescription ? Object.create(option, { defaultValue: { value: undefined } }) : option,
  )
}

function inherit(command: Command, from: Command): Command {
  command.copyInheritedSettings(from)
  for (const inner of command.commands) inherit(inner, command)
  return command
}
