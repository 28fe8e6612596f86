import { parseArgs } from 'node:util'
import { chosen } from '../../bench/options.ts'
import type { Drill } from './drill.ts'
import type { Peer } from './peers/peer.ts'

/** The options of the command line. */
export interface Options {
  readonly drills: readonly Drill[]
  readonly peers: readonly Peer[]
  readonly short: boolean
  /** How the results are printed. */
  readonly json: boolean
  /** Whether they are also written to docs/. */
  readonly write: boolean
  /** Only regenerates the tables of docs/resilience.md from docs/resilience.json. */
  readonly render: boolean
  readonly list: boolean
  readonly help: boolean
}

/** The output of `--help`. */
export const usage = `Usage: npm run drills -- [options]

Lets a service fail in many ways behind Sallyport, nginx, HAProxy and Caddy, and counts what clients notice. A complete run takes
about ninety minutes, and 25 with --short. nginx, HAProxy and Caddy are the versions of Debian: bench/setup installs them.

  --drill <name,…>   only these drills
  --peer <name,…>    only these peers
  --short            fewer requests, and the service of the drill bimodal for one minute instead of ten
  --json             print the results as JSON
  --write            write the results to docs/resilience.json and the tables of docs/resilience.md; results of other drills
                     and peers are kept
  --render           regenerate the tables from docs/resilience.json
  --list             list the drills and the peers
  --help             print this text
`

/** Parses the command line; for an unknown option or name, throws an error that lists what is allowed. */
export function readOptions(args: string[], allDrills: readonly Drill[], allPeers: readonly Peer[]): Options {
  const { values } = parseArgs({
    args,
    options: {
      drill: { type: 'string' },
      peer: { type: 'string' },
      short: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      write: { type: 'boolean', default: false },
      render: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const { drill, peer, ...flags } = values
  return { ...flags, drills: chosen('--drill', drill, allDrills), peers: chosen('--peer', peer, allPeers) }
}
