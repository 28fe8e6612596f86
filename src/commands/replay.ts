import { existsSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { fileErrorOf } from '../core/read-text.ts'
import type { Configured } from '../replay/replay.ts'
import type { Report } from '../replay/report.ts'
import { addExamples, CommandError, DEFAULT_FILE, UsageError } from './command.ts'
import { exitCodes } from './exit-codes.ts'

interface Options {
  readonly against: string
  readonly config?: string
  readonly sample: string
  readonly json?: true
}

/** `sallyport replay`: shows which requests of an access log would have another outcome. */
export function defineReplay(command: Command, finish: (code: number) => void): void {
  command
    .description(
      'Replays the requests of an access log with another configuration, in memory, and shows which of them would end ' +
        'differently (route, status, service or limits), for which this cannot be determined, and why. No service is called. Exits with 0 ' +
        'if none changes, with 2 if some do, and with 1 if a configuration or the log is refused.',
    )
    .argument('<log>', 'the access log in JSON, plain or compressed with gzip; - for standard input')
    .requiredOption('--against <file>', 'the new configuration')
    .addOption(
      new Option(
        '-c, --config <file>',
        `the configuration that answered the requests (default: ${DEFAULT_FILE}, if it exists)`,
      ),
    )
    .option('--sample <part>', 'the fraction of the clients whose requests are replayed: above 0, up to 1', '1')
    .option('--json', 'print the report as JSON')
    .action(async (log: string, options: Options) => finish(await replayLog(log, options)))
  addExamples(command, [
    ['sallyport replay access.log --against new.yaml', 'what another file would change, compared with sallyport.yaml'],
    ['zcat access.log.*.gz | sallyport replay - --against new.yaml --sample 0.1', 'a tenth of the clients of a week'],
  ])
}

async function replayLog(log: string, { against, config, sample, json }: Options): Promise<number> {
  const part = /^(?:0?\.\d+|1(?:\.0*)?)$/.test(sample) ? Number(sample) : 0
  if (part <= 0) throw new UsageError(`--sample: expected a number above 0, up to 1, not ${JSON.stringify(sample)}`)
  const named = config ?? (existsSync(DEFAULT_FILE) ? DEFAULT_FILE : null)
  const before = named === null ? null : await configured(named)
  const after = await configured(against)
  if (before === null)
    console.error(`There is no ${DEFAULT_FILE} and no --config: the new configuration is compared with the log alone.`)
  const { replay } = await import('../replay/replay.ts')
  const report = await replay({ log, before, after, sample: part }).catch((error: unknown) => {
    throw isOfSystem(error) ? new CommandError(`${log}: ${fileErrorOf(error).message}.`, { cause: error }) : error
  })
  if (report.requests === 0) throw new CommandError(whyNothing(log, report, part))
  const { reportText } = await import('../replay/report-text.ts')
  console.log(json === true ? JSON.stringify(report, null, 2) : reportText(report))
  return report.changed === 0 ? exitCodes.done : exitCodes.different
}

async function configured(file: string): Promise<Configured> {
  const { loadChecked } = await import('./load-checked.ts')
  const { config, chain } = await loadChecked(file)
  return { config, chain }
}

function isOfSystem(error: unknown): boolean {
  return error instanceof Error && 'code' in error
}

function whyNothing(log: string, { malformed, otherLines, problems }: Report, sample: number): string {
  const [first] = problems
  if (first !== undefined)
    return `${log} has no lines of an access log in JSON (log.format: json); line ${first.line}: ${first.problem}. ${malformed} such line${malformed === 1 ? '' : 's'}.`
  if (sample < 1) return `${log} has no requests from the sampled clients: try a larger --sample.`
  return otherLines > 0
    ? `${log} has ${otherLines === 1 ? '1 line, which is not' : `${otherLines} lines, but none of them is`} from the access log.`
    : `${log} is empty.`
}
