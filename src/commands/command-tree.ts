import type { Command, Option } from 'commander'

/** An option, as shells and the reference tell of it. */
export interface OptionFacts {
  /** "-c", or null where there is none. */
  readonly short: string | null
  /** "--config". */
  readonly long: string
  readonly description: string
  /** It takes a value. */
  readonly takesValue: boolean
}

/** A command with all below it. */
export interface CommandFacts {
  readonly command: Command
  /** The words after "sallyport". */
  readonly path: readonly string[]
  readonly summary: string
  readonly options: readonly OptionFacts[]
  readonly children: readonly CommandFacts[]
  /** What its first argument may be, where that is one of a few words. */
  readonly choices: readonly string[]
}

/** Everything below a command, and itself. */
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

/** The command and all below it, each before those below it. */
export function allOf(facts: CommandFacts): CommandFacts[] {
  return [facts, ...facts.children.flatMap(allOf)]
}

function optionFacts({ short, long, description, required, optional }: Option): OptionFacts[] {
  if (long === undefined) return []
  return [{ short: short ?? null, long, description, takesValue: required || optional }]
}
