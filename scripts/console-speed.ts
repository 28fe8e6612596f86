/**
 * Measures how long the console takes to show 1,000 routes that all get requests, from the arrival of the data to the painted page:
 * node scripts/console-speed.ts [runs]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, createServer, get } from 'node:http'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { chromium, type Page } from 'playwright-core'
import { start, stopAll } from '../bench/children.ts'
import { freePort, whenListening } from '../bench/proxy.ts'

const RUNS = Number(process.argv[2] ?? '5')
const ROUTES = 1000
const SERVICES = 20
/** How many requests are sent, every so many milliseconds: one a second to each route, unless too many are pending. */
const BATCH = 20
const INTERVAL = 20
const PENDING = 200
/** Seconds of requests before the first page opens: the period that the pages show. */
const MINUTE = 60
/** How long the updates of a page are measured, in milliseconds. */
const FOLLOWED = 6000

/** What the page waited for, and how many milliseconds passed until the frame with it was complete. */
type Painted = readonly [what: string, milliseconds: number]

/**
 * Runs in the page: notes the time from before the console parses data, or from a click, to the beginning of the second frame after it. The
 * first of the two frames shows the data, and the second can only begin once the first is complete.
 */
const OBSERVER = `{
  const painted = (globalThis.painted = [])
  const note = (what) => {
    const begun = performance.now()
    requestAnimationFrame(() => requestAnimationFrame((now) => painted.push([what, performance.now() - begun])))
  }
  const parse = JSON.parse
  JSON.parse = (text, ...others) => {
    if (text.startsWith('{"at":')) note('update')
    if (text.startsWith('{"routes":[')) note('data')
    if (text.startsWith('{"bounds":')) globalThis.helloLength = text.length
    return parse(text, ...others)
  }
  addEventListener('click', () => note('click'), true)
}`

const folder = mkdtempSync(join(tmpdir(), 'console-speed-'))
process.on('exit', () => {
  stopAll()
  rmSync(folder, { recursive: true, force: true })
})
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

const service = createServer((_, response) => response.end('here')).listen(0, '127.0.0.1')
await once(service, 'listening')
const [port, admin] = [await freePort(), await freePort()]
const file = join(folder, 'sallyport.yaml')
writeFileSync(file, JSON.stringify(configurationOf(service.address(), port, admin)))
const main = join(import.meta.dirname, '../src/main.ts')
const gateway = start({ command: process.execPath, args: [main, 'start', '--config', file] }, null)
const agent = new Agent({ keepAlive: true, maxSockets: 64 })
await whenListening(() => ask(`http://127.0.0.1:${port}/r0/`), gateway)

let [sent, answered] = [0, 0]
setInterval(() => {
  for (let i = 0; i < BATCH && sent - answered < PENDING; i++)
    void ask(`http://127.0.0.1:${port}/r${sent++ % ROUTES}/`).finally(() => answered++)
}, INTERVAL)
const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
})
const results = new Map<string, number[]>()
const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
await page.addInitScript({ content: OBSERVER })
// While nobody watches, nothing is remembered of the last minute.
await page.goto(`http://127.0.0.1:${admin}/console/`)
await delay(MINUTE * 1000)
for (let run = 0; run < RUNS; run++) {
  await measure(page, 'Overview', '', '.topology a.node')
  await measure(page, 'Routes', 'routes', 'main tbody tr:nth-child(200)')
  await press(page, '.table-foot button')
  await page.locator(`main tbody tr:nth-child(${ROUTES})`).waitFor()
  await take(page, 'Routes, all 1,000')
  await press(page, 'th:nth-child(5) button')
  await take(page, 'Routes, all 1,000, sorted')
}
for (const [what, times] of results) {
  const sorted = times.toSorted((a, b) => a - b)
  const of = (part: number): string => Math.round(sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toString()
  process.stdout.write(`${what}: median ${of(0.5)} ms, maximum ${of(1)} ms, ${sorted.length} measurements\n`)
}
process.stdout.write(`hello: ${await page.evaluate<number>('helloLength')} characters; ${sent} requests sent\n`)
await browser.close()
process.exit(0)

async function measure(opened: Page, name: string, path: string, shown: string): Promise<void> {
  await opened.goto(`http://127.0.0.1:${admin}/console/${path}`)
  await opened.locator(shown).first().waitFor()
  await take(opened, name)
}

/** Clicks without the waiting of the browser's driver. */
function press(opened: Page, selector: string): Promise<void> {
  return opened.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`)
}

/** Takes what the page notes while it is followed. */
async function take(opened: Page, name: string): Promise<void> {
  await delay(FOLLOWED)
  for (const [what, time] of await opened.evaluate<Painted[]>('painted.splice(0)')) {
    const key = `${name}, ${what}`
    results.set(key, [...(results.get(key) ?? []), time])
  }
}

function ask(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => response.resume().on('end', resolve).on('error', reject)).on('error', reject)
  })
}

function configurationOf(address: ReturnType<typeof service.address>, public_: number, adminPort: number): object {
  if (address === null || typeof address === 'string') throw new Error('the service has no TCP port')
  const instance = `http://127.0.0.1:${address.port}`
  return {
    workers: 2,
    listeners: [{ address: `127.0.0.1:${public_}` }],
    admin: { address: `127.0.0.1:${adminPort}` },
    log: { level: 'warn', access: false },
    services: Object.fromEntries(
      Array.from({ length: SERVICES }, (_, i) => [`service-${i}`, { instances: [instance], health: false }]),
    ),
    routes: Array.from({ length: ROUTES }, (_, i) => ({
      id: `route-${i}`,
      match: { path: `/r${i}/*` },
      service: `service-${i % SERVICES}`,
    })),
  }
}
