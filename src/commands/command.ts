/** A command of the command line: resolves with the exit code of the process. */
export type Command = (args: string[]) => Promise<number>

/** The configuration file, where none is named. */
export const DEFAULT_FILE = 'sallyport.yaml'

/** What a command cannot do, and why, as the user is told; the exit code is 1. */
export class CommandError extends Error {}

/** A command line that cannot be understood; the usage is shown with it, and the exit code is 2. */
export class UsageError extends Error {}
