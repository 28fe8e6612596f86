/** Entry point of the command line. */
import { availableParallelism } from 'node:os'
import { COLLECTS_ALONE, isBetterAlone, setUpCollector } from './workers/collector-flags.ts'
import { cpuQuota } from './workers/cpu-quota.ts'
import { restartWith } from './workers/restart-with.ts'

const args = process.argv.slice(2)
const alone = isBetterAlone(availableParallelism(), cpuQuota())
if (alone && args.includes('start')) restartWith(COLLECTS_ALONE)
setUpCollector(alone)

// By default, SIGUSR1 opens Node's inspector and SIGUSR2 ends the process; this prevents both until a command handles the signals.
for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.on(signal, () => {})

const { run } = await import('./commands/program.ts')
process.exitCode = await run(args)
