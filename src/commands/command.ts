import { type Command, Option } from 'commander'

/** A command of the command line. What it takes is loaded only when it is asked for. */
export interface CommandEntry {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** It is about the other commands too, and needs all of them loaded. */
  readonly aboutAll?: true
  /** It goes on when nobody reads its standard output any more. */
  readonly outlivesReader?: true
  /** Gives `command` its options and what it does; `finish` is told how it ends where that is not `done`. */
  readonly load: () => Promise<(command: Command, finish: (code: number) => void) => void>
}

/** The configuration file, where none is named. */
export const DEFAULT_FILE = 'sallyport.yaml'

/** `--config FILE`, the same for every command that has it. */
export function configOption(): Option {
  return new Option('-c, --config <file>', 'the configuration').default(DEFAULT_FILE)
}

/** How a command may be called, and what that does, in a few words. */
export type Example = readonly [line: string, what: string]

const shown = new WeakMap<Command, readonly Example[]>()

/** Shows at the end of the help of a command how it may be called. */
export function addExamples(command: Command, examples: readonly Example[]): Command {
  shown.set(command, examples)
  const lines = examples.map(([line, what]) => `  # ${what}\n  $ ${line}`)
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
}

/** The examples of a command; none of one that has only commands below it. */
export function examplesOf(command: Command): readonly Example[] {
  return shown.get(command) ?? []
}

/** What a command cannot do, and why, as the user is told. */
export class CommandError extends Error {}

/** A command line that cannot be understood; the help of the command is shown with it. */
export class UsageError extends Error {}
