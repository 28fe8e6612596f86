import { type Command, Option } from 'commander'

/** A command of the command line. Its implementation is loaded only when it is needed. */
export interface CommandEntry {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** It also deals with the other commands and needs all of them loaded. */
  readonly aboutAll?: true
  /** It continues when the reader of its standard output has gone. */
  readonly outlivesReader?: true
  /** Adds the options and the action to `command`; `finish` is called with the exit code unless that is `done`. */
  readonly load: () => Promise<(command: Command, finish: (code: number) => void) => void>
}

/** The default configuration file. */
export const DEFAULT_FILE = 'sallyport.yaml'

/** `--config FILE`, the same for every command that has it. */
export function configOption(): Option {
  return new Option('-c, --config <file>', 'the configuration').default(DEFAULT_FILE)
}

/** An example command line, and what it does in a few words. */
export type Example = readonly [line: string, what: string]

const shown = new WeakMap<Command, readonly Example[]>()

/** Adds examples to the end of a command's help. */
export function addExamples(command: Command, examples: readonly Example[]): Command {
  shown.set(command, examples)
  const lines = examples.map(([line, what]) => `  # ${what}\n  $ ${line}`)
  return command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`)
}

/** The examples of a command; none for one that only has subcommands. */
export function examplesOf(command: Command): readonly Example[] {
  return shown.get(command) ?? []
}

/** What a command cannot do and why, in a message to the user. */
export class CommandError extends Error {}

/** An invalid command line; the usage of the command is shown with it. */
export class UsageError extends Error {}
