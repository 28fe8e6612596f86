import { type Command, Option } from 'commander'

/** A command of the command line. What it takes is loaded only when it is asked for. */
export interface CommandEntry {
  readonly name: string
  /** One line for the list of commands. */
  readonly summary: string
  /** Gives `command` its options and what it does; `finish` is told how it ends where that is not `done`. */
  readonly load: () => Promise<(command: Command, finish: (code: number) => void) => void>
}

/** The configuration file, where none is named. */
export const DEFAULT_FILE = 'sallyport.yaml'

/** `--config FILE`, the same for every command that has it. */
export function configOption(): Option {
  return new Option('-c, --config <file>', 'the configuration').default(DEFAULT_FILE)
}

/** What a command cannot do, and why, as the user is told. */
export class CommandError extends Error {}

/** A command line that cannot be understood; the help of the command is shown with it. */
export class UsageError extends Error {}
