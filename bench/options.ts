import { parseArgs } from 'node:util'
import type { Peer } from './peers/peer.ts'
import type { Scenario } from './scenarios/scenario.ts'

/** The options of the command line. */
export type Options = {
  scenarios: Scenario[]
  peers: Peer[]
  rounds: number
  seconds: number
  against: string | undefined
  /** Whether everything is measured in full, so that the results may replace those in docs/. */
  complete: boolean
  /** Only regenerates docs/benchmarks.md and the chart from the figures in docs/benchmarks.json. */
  render: boolean
}

/** The output of `--help`. */
export const usage = `Usage: npm run bench -- [options]

Measures Sallyport and its peers side by side and writes docs/benchmarks.md, .svg and .json.
With any option other than --rounds, --seconds and --render, it prints the report and writes no files.

  --scenario <name,…>   only these scenarios
  --peer <name,…>       only these proxies, and nginx
  --rounds <n>          rounds per scenario (default 3)
  --seconds <n>         seconds per measurement (default 3)
  --quick               one round of one second, for development
  --against <git ref>   compares the working tree with Sallyport at the ref, and nginx
  --render              regenerate docs/benchmarks.md and .svg from docs/benchmarks.json
  --help                print this text
`

/** Parses the command line; for an unknown option, name or number, throws an error that lists what is allowed. */
export function readOptions(args: string[], allScenarios: Scenario[], allPeers: Peer[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string' },
      peer: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      against: { type: 'string' },
      render: { type: 'boolean', default: false },
    },
  })
  const { quick, against, render } = values
  const complete = !quick && values.scenario === undefined && values.peer === undefined && against === undefined
  const rounds = positive('--rounds', values.rounds ?? (quick ? '1' : '3'))
  if (complete && rounds < 3)
    throw new Error('--rounds: a run that writes docs/ needs at least 3; add --quick for fewer')
  return {
    scenarios: chosen('--scenario', values.scenario, allScenarios),
    peers: chosen('--peer', values.peer && `nginx,${values.peer}`, allPeers),
    rounds,
    seconds: positive('--seconds', values.seconds ?? (quick ? '1' : '3')),
    against,
    complete,
    render,
  }
}

/** The named items in list order, or all if no names are given; names are case-insensitive. */
export function chosen<T extends { name: string }>(option: string, names: string | undefined, all: readonly T[]): T[] {
  if (names === undefined) return [...all]
  const wanted = names.split(',').map((name) => name.trim().toLowerCase())
  const unknown = wanted.filter((name) => all.every((one) => one.name.toLowerCase() !== name))
  if (unknown.length === 0) return all.filter((one) => wanted.includes(one.name.toLowerCase()))
  throw new Error(`${option}: unknown ${unknown.join(', ')}; there are ${all.map(({ name }) => name).join(', ')}`)
}

function positive(option: string, value: string): number {
  const number = Number(value)
  if (Number.isInteger(number) && number > 0) return number
  throw new Error(`${option}: ${value} is not a positive whole number`)
}
