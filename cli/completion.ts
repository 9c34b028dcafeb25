import { Argument, Command } from 'commander'
import type { Option } from 'commander'

const SHELLS = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof SHELLS)[number]

const examples = `
Examples:
  source <(tradewind completion bash)
  tradewind completion zsh > "\${fpath[1]}/_tradewind"
  tradewind completion fish > ~/.config/fish/completions/tradewind.fish`

/** The command `tradewind completion`. */
export function completionCommand(): Command {
  return new Command('completion')
    .description('print a completion script for bash, zsh or fish')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', examples)
    .action(async (shell: Shell) => {
      const { program } = await import('./program.ts')
      process.stdout.write(scripts[shell](await program('all')))
    })
}

const scripts = { bash, zsh, fish } satisfies Record<Shell, (root: Command) => string>

const flags = (command: Command): readonly Option[] => command.createHelp().visibleOptions(command)
/** A command, and those of its group. */
const family = (command: Command): readonly Command[] => [command, ...command.commands]
const own = (command: Command): readonly string[] => [
  ...flags(command).flatMap(({ short, long }) => [short, long].filter((flag) => flag !== undefined)),
  ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
]
const words = (command: Command): readonly string[] => [
  ...command.commands.map((inner) => inner.name()),
  ...new Set(family(command).flatMap(own)),
]
/** The flags of a command and of those of its group, each once. */
const allFlags = (command: Command): readonly Option[] => [
  ...new Map(family(command).flatMap((it) => flags(it).map((option) => [option.long, option] as const))).values(),
]
const valued = (command: Command) => allFlags(command).filter(({ argChoices }) => argChoices !== undefined)

/** What follows a flag with choices are these; after a command its flags, and files. */
function bash(root: Command): string {
  const cases = root.commands.map((command) => {
    const values = valued(command).map(
      ({ short, long, argChoices }) =>
        `        ${[short, long].filter((flag) => flag !== undefined).join('|')}) words="${argChoices?.join(' ')}" ;;\n`,
    )
    return `    ${command.name()})
      words="${words(command).join(' ')}"
${values.length ? `      case "$before" in\n${values.join('')}      esac\n` : ''}      ;;
`
  })
  return `# bash completion for tradewind
_tradewind() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" words
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${root.commands.map((command) => command.name()).join(' ')} help ${own(root).join(' ')}"
  else
    case "\${COMP_WORDS[1]}" in
${cases.join('')}    help) words="${root.commands.map((command) => command.name()).join(' ')}" ;;
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _tradewind tradewind
`
}

function zsh(root: Command): string {
  const quote = (text: string): string => text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, '\\$&')
  const cases = root.commands.map((command) => {
    const specs = allFlags(command).flatMap((option) =>
      [option.short, option.long].flatMap((flag) => {
        if (flag === undefined) return []
        const value = option.argChoices
          ? `:value:(${option.argChoices.join(' ')})`
          : option.required
            ? ':value:_default'
            : ''
        return [`'${option.variadic ? '*' : ''}${flag}[${quote(option.description)}]${value}'`]
      }),
    )
    const inner = command.commands.map((it) => it.name())
    const choices = [...inner, ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? [])]
    const rest = choices.length ? `'*:value:(${choices.join(' ')})'` : "'*:file:_files'"
    return `    ${command.name()}) _arguments ${[...specs, rest].join(' ')} ;;\n`
  })
  const described = root.commands.map((command) => `'${command.name()}:${quote(command.description())}'`)
  return `#compdef tradewind
# zsh completion for tradewind
_tradewind() {
  if (( CURRENT == 2 )); then
    local -a commands=(${described.join(' ')})
    _describe command commands
    return
  fi
  shift words
  (( CURRENT-- ))
  case "$words[1]" in
${cases.join('')}  esac
}
if [ "$funcstack[1]" = _tradewind ]; then _tradewind "$@"; else compdef _tradewind tradewind; fi
`
}

function fish(root: Command): string {
  const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines = root.commands.flatMap((command) => [
    `complete -c tradewind -f -n __fish_use_subcommand -a ${command.name()} -d ${quote(command.description())}`,
    ...command.commands.map(
      (inner) =>
        `complete -c tradewind -f -n '__fish_seen_subcommand_from ${command.name()}' -a ${inner.name()} -d ${quote(inner.description())}`,
    ),
    ...allFlags(command).map((option) => {
      const names = [option.short && `-s ${option.short.slice(1)}`, option.long && `-l ${option.long.slice(2)}`]
      const value = option.argChoices ? `-x -a ${quote(option.argChoices.join(' '))}` : option.required ? '-r' : ''
      return `complete -c tradewind -n '__fish_seen_subcommand_from ${command.name()}' ${[...names, value, `-d ${quote(option.description)}`].filter(Boolean).join(' ')}`
    }),
    ...command.registeredArguments.flatMap(({ argChoices }) =>
      argChoices
        ? [
            `complete -c tradewind -f -n '__fish_seen_subcommand_from ${command.name()}' -a ${quote(argChoices.join(' '))}`,
          ]
        : [],
    ),
  ])
  return `# fish completion for tradewind\n${lines.join('\n')}\n`
}
