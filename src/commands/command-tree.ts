import type { Command, Option } from 'commander'

/** An option, for shell completions and the reference. */
export interface OptionFacts {
  /** "-c", or null if there is none. */
  readonly short: string | null
  /** "--config". */
  readonly long: string
  readonly description: string
  /** It takes a value. */
  readonly takesValue: boolean
}

/** A command and all its subcommands. */
export interface CommandFacts {
  readonly command: Command
  /** The words after "sallyport". */
  readonly path: readonly string[]
  readonly summary: string
  readonly options: readonly OptionFacts[]
  readonly children: readonly CommandFacts[]
  /** The possible values of its first argument, if it is one of a few words. */
  readonly choices: readonly string[]
}

/** The facts of a command and its subcommands. */
export function factsOf(command: Command, path: readonly string[] = []): CommandFacts {
  const help = command.createHelp()
  return {
    command,
    path,
    summary: command.summary(),
    options: help.visibleOptions(command).flatMap(optionFacts),
    children: command.commands.map((child) => factsOf(child, [...path, child.name()])),
    choices: command.registeredArguments[0]?.argChoices ?? [],
  }
}

/** The command and all its subcommands, each before its own. */
export function allOf(facts: CommandFacts): CommandFacts[] {
  return [facts, ...facts.children.flatMap(allOf)]
}

function optionFacts({ short, long, description, required, optional }: Option): OptionFacts[] {
  if (long === undefined) return []
  return [{ short: short ?? null, long, description, takesValue: required || optional }]
}
