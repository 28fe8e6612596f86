import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Browser, chromium } from 'playwright-core'
import { cleanUp } from './cleanup.ts'

/** Chromium with a separate profile, until the end of the test. */
export async function startBrowser(t: TestContext): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: onPath('chromium'),
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  cleanUp(t, () => browser.close())
  return browser
}

function onPath(command: string): string {
  const files = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, command))
  const found = files.find(isExecutable)
  if (found === undefined) throw new Error(`${command} is not on PATH; npm test says how to install it`)
  return found
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
