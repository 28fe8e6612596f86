import type { Results } from '../results.ts'
import { type CacheRuns, cacheSection } from './cache-section.ts'
import { table } from './format.ts'
import { goalsSection } from './goals-section.ts'
import { scenarioSection } from './scenario-section.ts'

/** The whole of docs/benchmarks.md: goals, how to read it, all tables, the cache tests, the machine and the commands. */
export function report(results: Results, cacheRuns: CacheRuns = []): string {
  const { date, rounds, seconds, skipped, machine, versions } = results
  const day = date.slice(0, 10)
  const parts = [
    '# Benchmarks',
    `Written by \`npm run bench\` on ${day}; do not edit. The figures behind it are in [benchmarks.json](benchmarks.json).`,
    '![CPU time per request of each proxy](benchmarks.svg)',
    '## Goals',
    goalsSection(results),
    '## How to read it',
    explanation(rounds, seconds),
    '## Results',
    tables(results),
    '## Correctness of the cache',
    cacheSection(cacheRuns),
    '## The machine and the versions',
    table(['', ''], machine),
    table(['', 'version'], versions),
    ...(skipped.length === 0 ? [] : [`Not installed and therefore not measured: ${skipped.join(', ')}.`]),
    '## Run it yourself',
    commands,
  ]
  return `${parts.join('\n\n')}\n`
}

/** Goals and tables only, for the terminal. */
export function shortReport(results: Results): string {
  return `${tables(results)}\n\n${goalsSection(results)}\n`
}

function tables({ scenarios, baselines }: Results): string {
  return scenarios.map((scenario) => scenarioSection(scenario, baselines)).join('\n\n')
}

function explanation(rounds: number, seconds: number): string {
  return `Every proxy runs on core 0 with one worker, process or thread, alone under load; the service behind it (nginx) and the
load generator run on core 1; everything is on 127.0.0.1. Connections to the service are kept alive, access logs are off but in the scenario that says so, bodies
are streamed, and each proxy sets the X-Forwarded headers. Over TLS every proxy speaks TLS 1.3 with TLS_AES_128_GCM_SHA256 and X25519: the load
generators offer nothing else. The configurations are in \`bench/peers/\`.

- **relay** is no proxy: it passes bytes on between sockets of node:net and looks at none. It shows what Node costs whatever runs on it.
- **replier** is no cache: it writes the same stored bytes for everything that it reads from a socket of node:net. No cache on Node's sockets can cost less.
- **CPU µs** is the figure to compare: the CPU time of all threads of the proxy's processes, from
  \`/proc/<pid>/task/*/schedstat\`, kernel time included, divided by the requests (or the MB, of 10⁶ bytes) of that measurement.
- **to nginx** is a proxy's figure divided by nginx's in the same round; at the fixed rate it is p99, elsewhere CPU.
- Each figure is the median of ${rounds} rounds of ${seconds} seconds (10 MB bodies: a fixed number of requests), with the least and the
  greatest in parentheses. Rounds are interleaved: every proxy once, then every proxy again.
- **requests/s** and the latencies of a closed loop say little where **busy**, the proxy's share of core 0, is below 100%: there
  core 1 was the limit, not the proxy. The latencies that compare are those at a fixed rate.
- At the fixed rate requests start on time, whatever became of those before. h2load wakes once a millisecond, so they start in small
  bursts, and the latencies hold the time in which a burst is worked off; they compare proxies, and are not those of a network.
- **peak MiB** is the sum of the processes' VmHWM since they started for the scenario.
- Before the first round a proxy with a JIT answers 50,000 requests (20,000 of 64 kB or with a new connection each, 200 of 10 MB),
  another a twentieth of that.
- A round with a reply other than 2xx or a socket error does not count and is named below its table.`
}

const commands = `On Linux with two cores or more and nothing else running:

    bench/setup                       # the npm peers, and on Debian as root nginx, haproxy, caddy, wrk and h2load
    npm run bench                     # everything; writes this page
    npm run bench -- --quick          # a short look, writes nothing
    npm run bench -- --scenario get-small,post-1k --peer haproxy,sallyport
    npm run bench -- --against main   # this working tree against another version of Sallyport`
