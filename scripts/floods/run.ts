/** Floods a gateway over real sockets in every way that the tests know, and prints the cost as a table. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { stop, stopAll } from '../../bench/children.ts'
import { describeMachine } from '../../bench/machine.ts'
import { number, table } from '../../bench/report/format.ts'
import { percentile, spread } from '../../bench/statistics.ts'
import { floods } from '../../test/support/http2-floods.ts'
import { type Cost, flood } from './flood.ts'
import { startTarget } from './gateway.ts'

const ROUNDS = 3
const page = join(import.meta.dirname, '../../docs/protocols.md')
const BEGIN = '<!-- floods: written by npm run floods, do not edit -->'
const END = '<!-- end of the floods -->'

/**
 * The limits for a flood: milliseconds until it is ended, CPU time in milliseconds, bytes of memory, and the factor by which other clients
 * wait longer than usual.
 */
const GOAL = { after: 1000, cpu: 100, memory: 20 * 1024 * 1024, slower: 2 }

const dir = mkdtempSync(join(tmpdir(), 'floods-'))
process.on('exit', () => {
  stopAll()
  rmSync(dir, { recursive: true, force: true })
})
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

const target = await startTarget(dir)
const rows: string[][] = []
let missed = 0
// Lets code be compiled before it is measured.
for (const name of Object.keys(floods)) await flood(target, name)
for (const name of Object.keys(floods)) {
  const costs: Cost[] = []
  for (let n = 0; n < ROUNDS; n++) {
    await delay(200)
    costs.push(await flood(target, name))
  }
  const of = (figure: (cost: Cost) => number): number => spread(costs.map(figure))?.median ?? Number.NaN
  const after = of((cost) => cost.after ?? Number.POSITIVE_INFINITY)
  const cpu = of((cost) => cost.cpu)
  const memory = of((cost) => cost.memory)
  const [before, during] = [
    of(({ before: times }) => percentile(times, 99)),
    of(({ during: times }) => percentile(times, 99)),
  ]
  const met =
    after <= GOAL.after && cpu <= GOAL.cpu && memory <= GOAL.memory && during <= GOAL.slower * Math.max(before, 1)
  if (!met) missed++
  const mark = met ? '' : ' (missed)'
  rows.push([name + mark, number(after), number(cpu), number(memory / 1024 / 1024), number(before), number(during)])
  process.stderr.write(`${name}: ${rows.at(-1)!.slice(1).join(', ')}${mark}\n`)
}
await stop(target.child)
const head = ['flood', 'ended after, ms', 'CPU, ms', 'memory, MiB', "others' p99 before, ms", 'during, ms']
const text = `${table(head, rows)}\n\n${table(['', ''], describeMachine())}`
process.stdout.write(`${text}\n`)
if (process.argv.includes('--write')) write(text)
if (missed > 0) process.stderr.write(`${missed} of ${rows.length} floods exceed the limits\n`)

function write(written: string): void {
  const old = readFileSync(page, 'utf8')
  const [begin, end] = [old.indexOf(BEGIN), old.indexOf(END)]
  if (begin === -1 || end < begin) throw new Error(`docs/protocols.md has no lines "${BEGIN}" and "${END}"`)
  writeFileSync(page, `${old.slice(0, begin)}${BEGIN}\n\n${written}\n\n${old.slice(end)}`)
}
