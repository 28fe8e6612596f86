import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { start, stop, stopAll } from '../../bench/children.ts'
import { cpuNanoseconds, processTree } from '../../bench/proc.ts'
import { freePort, whenListening } from '../../bench/proxy.ts'
import { Client } from '../drills/load/client.ts'
import { openLoop } from '../drills/load/open-loop.ts'
import { Tally } from '../drills/load/tally.ts'
import { replyBytes } from '../drills/service/behavior.ts'

const usage = `Usage: npm run overload -- [--times <number>] [--seconds <number>]

Measures the capacity of one worker with an expensive policy. Then sends a multiple of that rate (--times, default 3) for some time (--seconds, default
15), and prints how many requests were answered before clients gave up after a second: with the default overload settings, and with overload: false.
`
const root = join(import.meta.dirname, '../..')
/** Number of clients that send requests back to back while the capacity is measured: few enough that none waits for long. */
const CLIENTS = 8
/** How long clients wait, in milliseconds. */
const TIMEOUT = 1_000
/** Seconds for compiling code, and for measuring the capacity. */
const WARM_UP = 3
const MEASURED = 5
const { values } = parseArgs({
  options: {
    times: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '15' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) process.stdout.write(usage)
else await main(Number(values.times), Number(values.seconds))

async function main(times: number, seconds: number): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'overload-'))
  process.on('exit', () => {
    stopAll()
    rmSync(dir, { recursive: true, force: true })
  })
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
  for (const overload of [undefined, false] as const) {
    const words = overload === undefined ? 'default overload settings' : 'overload: false'
    process.stdout.write(`${words}: ${await measure(dir, overload, times, seconds)}\n`)
  }
}

/** The outcomes of the requests, in words. */
async function measure(dir: string, overload: false | undefined, times: number, seconds: number): Promise<string> {
  const port = await freePort()
  const config = join(dir, 'sallyport.yaml')
  writeFileSync(config, JSON.stringify(configuration(port, overload)))
  const child = start(
    {
      command: process.execPath,
      args: [join(root, 'src/main.ts'), 'start', '--config', config],
      env: { NODE_ENV: 'production' },
    },
    null,
  )
  const client = new Client(port, TIMEOUT)
  try {
    await whenListening(async () => {
      const failure = await client.send(null)
      if (failure !== null) throw new Error(`the gateway answers with ${failure}`)
    }, child)
    await closedLoop(client, WARM_UP)
    const before = cpuNanoseconds(processTree(child.pid))
    const answered = await closedLoop(client, MEASURED)
    const between = cpuNanoseconds(processTree(child.pid))
    /** The number of requests that one second of CPU time is enough for. */
    const most = answered / ((between - before) / 1e9)
    const capacity = answered / MEASURED
    const tally = await overloaded(client, times * capacity, seconds)
    const used = (cpuNanoseconds(processTree(child.pid)) - between) / 1e9
    const goodput = tally.answered(0, seconds * 1000) / seconds
    const { sent, reasons } = tally.failures()
    const failed = Object.entries(reasons).map(([reason, count]) => `${count} × ${reason}`)
    return (
      `goodput ${Math.round(goodput)} of ${Math.round(capacity)} a second (${Math.round((100 * goodput) / capacity)}%), ` +
      `${Math.round((100 * goodput * seconds) / (most * used))}% of what its CPU time allows; ` +
      `${sent} sent, ${failed.join(', ')}; p50 ${Math.round(tally.percentile(0.5))} ms, p99 ${Math.round(tally.percentile(0.99))} ms; ` +
      `requests were sent up to ${Math.round(tally.lateness())} ms late`
    )
  } finally {
    client.close()
    await stop(child)
  }
}

function configuration(port: number, overload: false | undefined): Record<string, unknown> {
  return {
    workers: 1,
    listeners: [{ address: `127.0.0.1:${port}` }],
    admin: false,
    log: { level: 'warn', access: false },
    ...(overload === false && { overload }),
    ownPolicies: [join(import.meta.dirname, 'costly.ts')],
    policies: { costly: { rounds: 10_000 } },
    routes: [{ id: 'all', match: { path: '/*' }, reply: { status: 200, body: 'x'.repeat(replyBytes) } }],
  }
}

/** The number of requests answered in that many seconds if each client sends the next one once it has its reply. */
async function closedLoop(client: Client, seconds: number): Promise<number> {
  const end = performance.now() + seconds * 1000
  let answered = 0
  const ask = async (): Promise<void> => {
    while (performance.now() < end) if ((await client.send(null)) === null) answered++
  }
  await Promise.all(Array.from({ length: CLIENTS }, ask))
  return answered
}

/** The outcomes of that many requests per second, which do not wait for each other. */
async function overloaded(client: Client, rate: number, seconds: number): Promise<Tally> {
  const tally = new Tally()
  const pending: Promise<void>[] = []
  const begun = performance.now()
  await openLoop(rate, seconds, (due) => {
    tally.begun(performance.now() - due)
    const send = async (): Promise<void> => {
      const failure = await client.send(null)
      tally.add(due - begun, performance.now() - due, failure)
    }
    pending.push(send())
  })
  await Promise.all(pending)
  return tally
}
