/** Entry point of the command line. */
import { run } from './commands/program.ts'

// By default, SIGUSR1 opens Node's inspector; this prevents it until a command handles the signal.
process.on('SIGUSR1', () => {})

process.exitCode = await run(process.argv.slice(2))
