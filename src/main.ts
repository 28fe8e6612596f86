/** The command line. */
import { run } from './commands/program.ts'

// Opens Node's inspector by default, and would until a command sees to it.
process.on('SIGUSR1', () => {})

process.exitCode = await run(process.argv.slice(2))
