import { codeOf, messageOf } from '../core/error-facts.ts'
import { freshNameOf, removeLeftovers } from '../core/fresh-file.ts'
import { userName } from '../core/user-name.ts'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { copyFile, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ageCopies, copyOf } from './numbered-copies.ts'

/** Accessible only to the gateway's user: the text may contain secrets. */
const OWN_FILE = 0o600
const OWN_FOLDER = 0o700
const NAME = 'last-good.yaml'
/** Number of earlier texts to keep. */
const EARLIER = 5

/** Why a folder cannot store configurations, and what to do. */
export class StateFolderError extends Error {}

/**
 * The text of the configuration that was applied last, as written, and of some earlier ones: files in a folder that belongs to a single
 * gateway, or to the two processes of a handover.
 */
export class LastKnownGood {
  readonly folder: string
  private writing: Promise<void> = Promise.resolve()

  constructor(folder: string) {
    this.folder = folder
  }

  /** The file with the latest text. */
  get file(): string {
    return join(this.folder, NAME)
  }

  /** Creates the folder if necessary, and removes what earlier processes have left behind. Throws StateFolderError if nothing can be stored in it. */
  check(): void {
    const fail = (problem: string, cause?: unknown): never => {
      throw new StateFolderError(`reload.stateDir: ${JSON.stringify(this.folder)} ${problem}`, { cause })
    }
    try {
      mkdirSync(this.folder, { recursive: true, mode: OWN_FOLDER })
    } catch (error) {
      if (statSync(this.folder, { throwIfNoEntry: false })?.isFile() === true)
        fail('is a file: expected a folder', error)
      fail(`cannot be created: ${messageOf(error)}`, error)
    }
    try {
      const fresh = freshNameOf(this.file)
      writeFileSync(fresh, '', { mode: OWN_FILE })
      removeLeftovers(fresh)
      rmSync(fresh)
    } catch (error) {
      if (isOneOf(error, 'EACCES', 'EPERM'))
        fail(`cannot be written by the user ${userName()}: change its owner or mode, or choose another folder`, error)
      fail(`cannot be written: ${messageOf(error)}`, error)
    }
  }

  /** The latest stored text, or null. Throws if it cannot be read. */
  latest(): string | null {
    return readText(this.file)
  }

  /** The texts before the latest one, newest first. */
  earlier(): string[] {
    return Array.from({ length: EARLIER }, (_, i) => readText(copyOf(this.file, i + 1))).filter((text) => text !== null)
  }

  /** Stores another text, unless it equals the latest one. On failure, rejects and leaves the stored texts unchanged. */
  keep(text: string): Promise<void> {
    const written = this.writing.then(() => this.write(text))
    this.writing = written.catch(() => {})
    return written
  }

  private async write(text: string): Promise<void> {
    const before = this.latest()
    if (before === text) return
    const fresh = freshNameOf(this.file)
    try {
      await writeSafely(fresh, text)
      if (before !== null) {
        await ageCopies(this.file, EARLIER)
        await copyFile(this.file, copyOf(this.file, 1))
      }
      await rename(fresh, this.file)
    } catch (error) {
      await rm(fresh, { force: true })
      throw error
    }
  }
}

async function writeSafely(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', OWN_FILE)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (isOneOf(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
}

function isOneOf(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(codeOf(error))
}
