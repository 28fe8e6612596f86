/** Entry point of the command line. */
import { availableParallelism } from 'node:os'
import { setUpCollector } from './workers/collector-flags.ts'
import { cpuQuota } from './workers/cpu-quota.ts'

setUpCollector(availableParallelism(), cpuQuota())

// By default, SIGUSR1 opens Node's inspector and SIGUSR2 ends the process; this prevents both until a command handles the signals.
for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {})

const { run } = await import('./commands/program.ts')
process.exitCode = await run(process.argv.slice(2))
