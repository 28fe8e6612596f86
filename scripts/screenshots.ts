/**
 * Takes the screenshots for the documentation from the running demo, sending requests in the meantime: npm run demo, then
 * DEMO_API_KEY=… node scripts/screenshots.ts [URL] [URL of the admin listener]
 */
import { mkdir, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const url = process.argv[2] ?? 'http://127.0.0.1:8000'
const admin = process.argv[3] ?? 'http://127.0.0.1:9000'
/** The key that the demo prints. */
const key = process.env['DEMO_API_KEY'] ?? ''
const folder = fileURLToPath(new URL('../docs/images/', import.meta.url))
/** Maximum size of a screenshot in bytes: it stays in the repository forever. */
const MAX_SIZE = 300_000
/** How long requests are sent before a screenshot is taken, in milliseconds: the period shown by the console's lines. */
const MINUTE = 60_000
/** The requested paths, some of which fail. */
const PATHS = [
  '/api/v1/products',
  '/api/v1/products',
  '/api/v1/products/1',
  '/api/v1/products?page=2',
  '/api/v1/users/me',
  '/api/v1/orders',
  '/api/v1/payments',
  '/nowhere',
]

/** Sends requests with a partner's key until the returned function is called. */
function sendRequests(): () => void {
  let sent = 0
  const timer = setInterval(() => {
    const path = PATHS[sent % PATHS.length] ?? '/'
    sent += 1
    void fetch(url + path, { headers: { 'X-API-Key': key } }).then(
      (reply) => reply.arrayBuffer(),
      () => {},
    )
  }, 40)
  return () => clearInterval(timer)
}

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu'],
})
try {
  await mkdir(folder, { recursive: true })
  const page = await browser.newPage({ viewport: { width: 1200, height: 1040 } })
  await page.goto(`${url}/docs`)
  await page.locator('.opblock').first().waitFor()
  await picture('api-docs.png')

  const stop = sendRequests()
  await page.setViewportSize({ width: 1280, height: 860 })
  await page.emulateMedia({ colorScheme: 'light' })
  await page.goto(`${admin}/console/`)
  await page.getByText('Live').first().waitFor()
  await page.waitForTimeout(MINUTE)
  await picture('console-overview.png')
  await page.emulateMedia({ colorScheme: 'dark' })
  await page.goto(`${admin}/console/requests`)
  await page.locator('.requests tbody tr').first().waitFor()
  await picture('console-requests.png')
  stop()

  async function picture(name: string): Promise<void> {
    const path = folder + name
    await page.screenshot({ path })
    const { size } = await stat(path)
    console.log(`docs/images/${name}: ${Math.ceil(size / 1024)} kB`)
    if (size > MAX_SIZE) throw new Error(`${name} is larger than ${MAX_SIZE / 1000} kB: capture less of the page`)
  }
} finally {
  await browser.close()
}
