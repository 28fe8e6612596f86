import { randomUUID } from 'node:crypto'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** How much older than a fresh file another one is, in milliseconds, that nobody is about to rename any more. */
const LEFT = 60_000
const FRESH = /\.[\da-f]{8}-[\da-f-]{27}\.new$/

/** The name under which the next content of a file is written before it is renamed; unique, as several processes may write. */
export function freshNameOf(file: string): string {
  return `${file}.${randomUUID()}.new`
}

/** Removes the fresh files in the folder of a new one that processes have left behind that were killed while they wrote. Never throws. */
export function removeLeftovers(fresh: string): void {
  try {
    const folder = dirname(fresh)
    // Compared with a file of the same disk, whose clock may not be that of this machine.
    const { mtimeMs } = statSync(fresh)
    for (const name of readdirSync(folder)) {
      const file = join(folder, name)
      if (FRESH.test(name) && mtimeMs - statSync(file).mtimeMs >= LEFT) rmSync(file)
    }
  } catch {
    // They are only in the way of people.
  }
}
