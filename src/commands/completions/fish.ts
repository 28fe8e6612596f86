import type { CommandFacts, OptionFacts } from '../command-tree.ts'

/** Shows the description of each command and option. */
export function fishCompletions(all: readonly CommandFacts[]): string {
  const lines = all.flatMap((facts) => [
    ...facts.children.map(
      (child) =>
        `${begin(condition(facts, true))} -f -a ${quoted(child.path.at(-1) ?? '')} -d ${quoted(child.summary)}`,
    ),
    ...facts.choices.map((choice) => `${begin(condition(facts, false))} -f -a ${quoted(choice)}`),
    ...facts.options.map((option) => `${begin(condition(facts, false))} ${optionText(option)}`),
  ])
  return `# Completes sallyport in fish: sallyport completions fish > ~/.config/fish/completions/sallyport.fish\n${lines.join('\n')}\n`
}

function begin(tested: string): string {
  return `complete -c sallyport -n ${quoted(tested)}`
}

/** True if the words of the command have been typed and, if a subcommand is expected, none of its subcommands. */
function condition({ path, children }: CommandFacts, toCome: boolean): string {
  if (path.length === 0) return '__fish_use_subcommand'
  const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`)
  const names = children.map((child) => child.path.at(-1)).join(' ')
  return [...seen, ...(toCome ? [`not __fish_seen_subcommand_from ${names}`] : [])].join('; and ')
}

function optionText({ short, long, description, takesValue }: OptionFacts): string {
  const names = `${short === null ? '' : `-s ${short.slice(1)} `}-l ${long.slice(2)}`
  return `${names}${takesValue ? ' -r' : ''} -d ${quoted(description)}`
}

/** In fish, a backslash escapes a quote and itself. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, String.raw`\$&`)}'`
}
