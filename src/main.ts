/** Entry point of the command line. */
import { run } from './commands/program.ts'

// By default, SIGUSR1 opens Node's inspector and SIGUSR2 ends the process; this prevents both until a command handles the signals.
for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {})

process.exitCode = await run(process.argv.slice(2))
