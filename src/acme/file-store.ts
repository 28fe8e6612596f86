import { randomBytes } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../core/clock.ts'
import { codeOf, messageOf } from '../core/error-facts.ts'
import { freshNameOf, removeLeftovers } from '../core/fresh-file.ts'
import { parseJson } from '../core/parse-json.ts'
import type { Challenge } from './challenge.ts'
import { readChallenge, writeChallenge } from './challenge-text.ts'
import { type AcmeStore, type Lock, MAX_CHALLENGES, type RecordKind, recordKinds } from './store.ts'

/** Accessible only to the gateway's user. */
const OWN_FILE = 0o600
const OWN_FOLDER = 0o700
/** How long an unreadable lock is assumed to be in the process of being written, in milliseconds. */
const WRITING = 5000
/** Maximum lifetime of a lock without renewal, in milliseconds: a later expiry was written by a machine with a wrong clock. */
const MAX_TIME = 2 * 60 * 60_000

const heldSchema = z.object({ owner: z.string(), until: z.number() })

/**
 * A store in one folder, for the processes of one machine. Each name has its own subfolder, in which file names include the token of the
 * lock under which they were written: "certificate.7". The complete file with the highest token is valid, so writes by a stale lock holder
 * are never read, and a truncated file is ignored in favor of the previous one.
 */
export class FileStore implements AcmeStore {
  private readonly folder: string
  private readonly clock: Clock

  constructor(folder: string, clock: Clock) {
    this.folder = folder
    this.clock = clock
  }

  revision(): Promise<string> {
    return this.guarded(async () => (await readText(join(this.folder, 'revision'))) ?? '')
  }

  read(name: string, kind: RecordKind): Promise<string | null> {
    return this.guarded(async () => {
      for (const token of await this.tokens(name, kind)) {
        const text = unframe(await readText(this.path(name, kind, token)))
        if (text !== null) return text
      }
      return null
    })
  }

  write(lock: Lock, kind: RecordKind, text: string): Promise<boolean> {
    return this.guarded(async () => {
      const { name, token } = lock
      if (!(await this.holds(lock))) return false
      const [, ...outdated] = (await this.tokens(name, kind)).filter((each) => each < token)
      await replace(this.path(name, kind, token), frame(text), true)
      for (const each of outdated) await rm(this.path(name, kind, each), { force: true })
      await this.changed()
      return true
    })
  }

  acquire(name: string, ttl: number): Promise<Lock | null> {
    return this.guarded(async () => {
      await mkdir(this.folderOf(name), { recursive: true, mode: OWN_FOLDER })
      const [last = 0, ...outdated] = await this.tokens(name, 'lock')
      if (last > 0 && (await this.isHeld(name, last))) return null
      // Locks may have been deleted manually: tokens must never be reused.
      const written = await Promise.all(recordKinds.map((kind) => this.tokens(name, kind)))
      const lock = { name, token: Math.max(last, ...written.flat()) + 1, owner: randomBytes(16).toString('hex') }
      const held = JSON.stringify({ owner: lock.owner, until: this.clock.wall() + ttl })
      try {
        await writeFile(this.path(name, 'lock', lock.token), held, { flag: 'wx', mode: OWN_FILE })
      } catch (error) {
        if (codeOf(error) === 'EEXIST') return null
        throw error
      }
      for (const each of outdated) await rm(this.path(name, 'lock', each), { force: true })
      return lock
    })
  }

  renew(lock: Lock, ttl: number): Promise<boolean> {
    return this.guarded(async () => {
      if (!(await this.holds(lock))) return false
      await this.setUntil(lock, this.clock.wall() + ttl)
      return true
    })
  }

  release(lock: Lock): Promise<void> {
    return this.guarded(async () => {
      if (await this.holds(lock)) await this.setUntil(lock, 0)
    })
  }

  present(challenge: Challenge, ttl: number): Promise<void> {
    return this.guarded(async () => {
      const folder = join(this.folder, 'challenges')
      await mkdir(folder, { recursive: true, mode: OWN_FOLDER })
      if ((await readdir(folder)).length >= MAX_CHALLENGES) throw new Error(`${folder} has ${MAX_CHALLENGES} files`)
      await replace(join(folder, challenge.token), `${this.clock.wall() + ttl} ${writeChallenge(challenge)}`)
      await this.changed()
    })
  }

  withdraw({ token }: Challenge): Promise<void> {
    return this.guarded(async () => {
      await rm(join(this.folder, 'challenges', token), { force: true })
      await this.changed()
    })
  }

  challenges(): Promise<Challenge[]> {
    return this.guarded(async () => {
      const folder = join(this.folder, 'challenges')
      const found: Challenge[] = []
      for (const file of (await list(folder)).slice(0, MAX_CHALLENGES)) {
        const [, until = '0', text = ''] = /^(\d+) (.*)$/.exec((await readText(join(folder, file))) ?? '') ?? []
        const challenge = readChallenge(text)
        if (challenge !== null && Number(until) > this.clock.wall()) found.push(challenge)
        // Leftovers of a killed process, or files that are just being written.
        else if (await this.isOld(join(folder, file))) await rm(join(folder, file), { force: true })
      }
      return found
    })
  }

  close(): void {}

  private folderOf(name: string): string {
    return join(this.folder, 'names', name.replace('*', '_'))
  }

  private path(name: string, kind: RecordKind | 'lock', token: number): string {
    return join(this.folderOf(name), `${kind}.${token}`)
  }

  /** Tokens of the files of that kind, in descending order. */
  private async tokens(name: string, kind: RecordKind | 'lock'): Promise<number[]> {
    const found = (await list(this.folderOf(name))).map((file) => file.split('.'))
    return found
      .filter(([first, token = '', ...rest]) => first === kind && rest.length === 0 && /^\d{1,15}$/.test(token))
      .map(([, token]) => Number(token))
      .sort((a, b) => b - a)
  }

  private async isHeld(name: string, token: number): Promise<boolean> {
    const file = this.path(name, 'lock', token)
    const { success, data } = heldSchema.safeParse(parseJson((await readText(file)) ?? ''))
    const now = this.clock.wall()
    if (success) return data.until > now && data.until <= now + MAX_TIME
    return !(await this.isOld(file))
  }

  private async holds({ name, token, owner }: Lock): Promise<boolean> {
    const [last] = await this.tokens(name, 'lock')
    if (last !== token) return false
    const text = await readText(this.path(name, 'lock', token))
    const { success, data } = heldSchema.safeParse(parseJson(text ?? ''))
    return success && data.owner === owner && data.until > this.clock.wall()
  }

  private setUntil({ name, token, owner }: Lock, until: number): Promise<void> {
    return replace(this.path(name, 'lock', token), JSON.stringify({ owner, until }))
  }

  private async isOld(file: string): Promise<boolean> {
    try {
      return this.clock.wall() - (await stat(file)).mtimeMs > WRITING
    } catch {
      return false
    }
  }

  private changed(): Promise<void> {
    return replace(join(this.folder, 'revision'), randomBytes(16).toString('hex'))
  }

  private async guarded<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      const reason = messageOf(error)
      throw new Error(`the folder ${this.folder} for certificates cannot be used: ${reason}`, { cause: error })
    }
  }
}

/** Replaces a file atomically; with `durable`, also across a sudden power loss. */
async function replace(file: string, text: string, durable = false): Promise<void> {
  const temporary = freshNameOf(file)
  try {
    const handle = await open(temporary, 'wx', OWN_FILE)
    try {
      await handle.writeFile(text)
      if (durable) await handle.sync()
    } finally {
      await handle.close()
    }
    removeLeftovers(temporary)
    await rename(temporary, file)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Prefixes a record with its length in bytes, so that truncation is detected. */
function frame(text: string): string {
  return `${Buffer.byteLength(text)} ${text}`
}

function unframe(framed: string | null): string | null {
  const [, length, text = ''] = /^(\d+) (.*)$/s.exec(framed ?? '') ?? []
  return length !== undefined && Number(length) === Buffer.byteLength(text) ? text : null
}

async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
