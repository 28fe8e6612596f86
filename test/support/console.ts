import type { TestContext } from 'node:test'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { cleanUp } from './cleanup.ts'

/** Of the window, in pixels. */
const HEIGHT = 900

/** How a page is displayed. */
export interface Look {
  readonly width?: number
  readonly theme?: 'light' | 'dark'
}

/** A page of the console, and the complaints about it. */
export interface Opened {
  readonly page: Page
  /** Errors and warnings in the browser's console, including violations of the Content-Security-Policy, and requests to other origins. */
  readonly complaints: readonly string[]
}

/** Shows a page that is open in another way, as a window of another size in another theme would. */
export async function look(page: Page, { width = 1280, theme = 'light' }: Look): Promise<void> {
  await page.setViewportSize({ width, height: HEIGHT })
  await page.emulateMedia({ colorScheme: theme })
}

/** Opens a page in a separate context, until the end of the test. */
export async function openConsole(
  t: TestContext,
  browser: Browser,
  origin: string,
  path = '',
  { width = 1280, theme = 'light' }: Look = {},
): Promise<Opened> {
  const context = await browser.newContext({
    viewport: { width, height: HEIGHT },
    colorScheme: theme,
    timezoneId: 'UTC',
  })
  cleanUp(t, () => context.close())
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text())
  })
  page.on('pageerror', (error) => complaints.push(String(error)))
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`) && !request.url().startsWith('data:')) complaints.push(request.url())
  })
  await page.goto(`${origin}/console/${path}`)
  return { page, complaints }
}

/** Opens the page of requests, and waits until it follows those that end: one that ends between its list and that is in neither. */
export async function openRequests(t: TestContext, browser: Browser, origin: string, query = ''): Promise<Opened> {
  const opened = await openConsole(t, browser, origin, 'certificates')
  const following = opened.page.waitForResponse((response) => response.url().includes('requests=true'))
  await opened.page.goto(`${origin}/console/requests${query}`)
  await following
  return opened
}

/** Accessibility problems found by axe: serious and critical ones. */
export async function barriers(page: Page): Promise<string[]> {
  if (await page.evaluate("typeof axe === 'undefined'")) await page.evaluate(axe.source)
  return page.evaluate(
    `axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' ' + target.join(' ') + ': ' + failureSummary)))`,
  )
}

/** The number of pixels by which the page is wider than the window: should be 0, because only tables may scroll sideways. */
export function overhang(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - document.documentElement.offsetWidth')
}

/** How much of the page has moved by itself since it was opened: Cumulative Layout Shift, which is good below 0.1. */
export function jumps(page: Page): Promise<number> {
  return page.evaluate(`new Promise((resolve) => {
    let sum = 0
    const add = (list) => {
      for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) sum += value
    }
    new PerformanceObserver(add).observe({ type: 'layout-shift', buffered: true })
    requestAnimationFrame(() => setTimeout(() => resolve(sum)))
  })`)
}
