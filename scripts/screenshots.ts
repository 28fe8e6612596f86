/** Takes the pictures for the documentation from the running demo: npm run demo, then node scripts/screenshots.ts [URL] */
import { mkdir, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const url = process.argv[2] ?? 'http://127.0.0.1:8000'
const folder = fileURLToPath(new URL('../docs/images/', import.meta.url))
/** Bytes of one picture: they are in the repository for good. */
const LARGEST = 300_000

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

  async function picture(name: string): Promise<void> {
    const path = folder + name
    await page.screenshot({ path })
    const { size } = await stat(path)
    console.log(`docs/images/${name}: ${Math.ceil(size / 1024)} kB`)
    if (size > LARGEST) throw new Error(`${name} is over ${LARGEST / 1000} kB: take less of the page`)
  }
} finally {
  await browser.close()
}
