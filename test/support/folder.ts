import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { temporaryFolder } from './balancers.ts'

/** Writes files, by path below a folder that exists until the end of the test, each last modified in 2026; returns the folder. */
export async function writeFolder(t: TestContext, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const folder = await temporaryFolder(t)
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
    await utimes(file, CHANGED, CHANGED)
  }
  return folder
}

/** Their modification time. */
export const CHANGED = new Date('2026-01-15T10:30:00Z')
