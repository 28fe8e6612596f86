import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { Lru, type LruItem } from '../core/lru.ts'
import { SingleFlight } from '../core/single-flight.ts'
import { Bytes, HEAD_ROOM } from '../http/body.ts'
import { knownLine } from '../http/field-lines.ts'
import { contentTypeOf } from './content-type.ts'
import { etagOf, FOLDER, type Found, type FoundFile } from './found.ts'
import { mayBeShown, namesIn } from './local-path.ts'
import { isAbsent, READ_FLAGS } from './open-file.ts'
import type { FileCoding, FilesOptions } from './schema.ts'

/** How long a file is assumed to be unchanged, in milliseconds. */
const FRESH = 1_000
/** Maximum size in bytes of a file that is kept in memory, and of all of them, over all folders of a thread. */
const SMALL = 32_768
const ALL = 16 * 1024 ** 2
/** Up to this size in bytes, it is faster to build the reply as text. */
const TINY = 2_048
/** The overhead of a known file in bytes, in addition to its contents. */
const EACH = 2_048 + HEAD_ROOM

const SUFFIXES: Readonly<Record<FileCoding, string>> = { br: '.br', zstd: '.zst', gzip: '.gz' }

/** The cached files of a thread. */
const memory = new Lru<Known>(ALL, (item) => item.forgotten())

/** The number of folders so far: it distinguishes the files of different folders. */
let folders = 0

class Known implements LruItem<Known> {
  readonly key: string
  /** The cached files of its folder, by path. */
  private readonly files: Map<string, Known>
  private readonly path: string
  readonly size: number
  readonly found: Found
  /** When it was last checked, in monotonic milliseconds. */
  seen: number
  newer: Known | null = null
  older: Known | null = null

  constructor(files: Map<string, Known>, folder: number, path: string, found: Found, seen: number) {
    this.key = `${folder} ${path}`
    this.files = files
    this.path = path
    this.found = found
    this.seen = seen
    this.size = [found.file, ...found.coded].reduce((sum, { content }) => sum + EACH + (content?.length ?? 0), 0)
  }

  /** It was evicted. */
  forgotten(): void {
    if (this.files.get(this.path) === this) this.files.delete(this.path)
  }
}

/** A folder of files to serve, except those reached by links that lead out of it or by names that begin with a dot. */
export class Folder {
  private readonly options: FilesOptions
  private readonly number = ++folders
  private readonly known = new Map<string, Known>()
  private closed = false
  private readonly looks = new SingleFlight<Found | typeof FOLDER | null>()

  constructor(options: FilesOptions) {
    this.options = options
  }

  /** What a normalized path leads to, as of the last second; null if there is nothing. `now` is in monotonic milliseconds. */
  find(path: string, now: number): Found | Promise<Found | typeof FOLDER | null> {
    const known = this.known.get(path)
    if (known !== undefined && now - known.seen < FRESH) {
      memory.touch(known)
      return known.found
    }
    return this.looks.join(path, () => this.look(path, now))
  }

  /** It may have changed within the last second. */
  forget(path: string): void {
    const known = this.known.get(path)
    if (known !== undefined) this.drop(known)
  }

  /** The folder is no longer in use. */
  close(): void {
    this.closed = true
    for (const known of this.known.values()) memory.remove(known)
    this.known.clear()
  }

  private drop(known: Known): void {
    memory.remove(known)
    known.forgotten()
  }

  private async look(path: string, now: number): Promise<Found | typeof FOLDER | null> {
    const known = this.known.get(path)
    const found = await this.read(path, known?.found ?? null)
    // It may have been evicted during the check, or the folder closed.
    const isKept = known !== undefined && this.known.get(path) === known
    if (found !== null && found !== FOLDER && isKept && found === known.found) {
      known.seen = now
      memory.touch(known)
      return found
    }
    if (known !== undefined) this.drop(known)
    if (found === null || found === FOLDER || this.closed) return found
    const added = new Known(this.known, this.number, path, found, now)
    this.known.set(path, added)
    memory.add(added)
    return found
  }

  /** Reads what the path leads to, or returns `before` if that has not changed. */
  private async read(path: string, before: Found | null): Promise<Found | typeof FOLDER | null> {
    const names = namesIn(path)
    if (names === null) return null
    const { root, index, precompressed } = this.options
    const ofFolder = names.at(-1) === ''
    if (ofFolder && index === false) return null
    const wanted = join(root, ...names, ofFolder && index !== false ? index : '')
    try {
      const real = await realpath(root)
      const file = await this.file(real, wanted, path, null, before?.file ?? null)
      if (file === null || file === FOLDER) return ofFolder ? null : file
      const coded: FoundFile[] = []
      for (const coding of precompressed) {
        const old = before?.coded.find((each) => each.coding === coding) ?? null
        const one = await this.file(real, wanted + SUFFIXES[coding], path, coding, old)
        if (one !== null && one !== FOLDER) coded.push(one)
      }
      if (before !== null && file === before.file && sameList(coded, before.coded)) return before
      return { file, coded }
    } catch (error) {
      if (isAbsent(error)) return null
      throw error
    }
  }

  private async file(
    root: string,
    wanted: string,
    path: string,
    coding: FileCoding | null,
    before: FoundFile | null,
  ): Promise<FoundFile | typeof FOLDER | null> {
    let place: string
    try {
      place = await realpath(wanted)
    } catch (error) {
      if (isAbsent(error)) return null
      throw error
    }
    if (!isBelow(root, place)) return null
    const facts = await stat(place)
    if (facts.isDirectory()) return FOLDER
    if (!facts.isFile()) return null
    if (before !== null && before.place === place && before.etag === etagOf(facts, coding)) return before
    const handle = await open(place, READ_FLAGS)
    try {
      return await this.describe(handle, place, path, coding)
    } finally {
      await handle.close()
    }
  }

  private async describe(
    handle: FileHandle,
    place: string,
    path: string,
    coding: FileCoding | null,
  ): Promise<FoundFile | null> {
    const facts = await handle.stat()
    if (!facts.isFile()) return null
    const { size, mtimeMs } = facts
    const modified = Math.floor(mtimeMs / 1000) * 1000
    const etag = etagOf(facts, coding)
    const content = size <= SMALL ? await contentOf(handle, size) : null
    const name = coding === null ? basename(place) : basename(place).slice(0, -SUFFIXES[coding].length)
    const fields =
      knownLine('Content-Type', contentTypeOf(name)) +
      (coding === null ? '' : knownLine('Content-Encoding', coding)) +
      (this.options.precompressed.length === 0 ? '' : knownLine('Vary', 'Accept-Encoding')) +
      knownLine('Cache-Control', this.isImmutable(path) ? 'public, max-age=31536000, immutable' : 'no-cache') +
      knownLine('Last-Modified', new Date(modified).toUTCString()) +
      knownLine('ETag', etag) +
      knownLine('Accept-Ranges', 'bytes')
    return { place, size, modified, etag, fields, coding, content }
  }

  private isImmutable(path: string): boolean {
    return this.options.immutable.some((pattern) =>
      pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : path === pattern,
    )
  }
}

/** The whole contents; null if the length has changed. */
async function contentOf(handle: FileHandle, size: number): Promise<Bytes | null> {
  const bytes = Buffer.allocUnsafeSlow(HEAD_ROOM + size)
  let at = 0
  while (at < size) {
    const { bytesRead } = await handle.read(bytes, HEAD_ROOM + at, size - at, at)
    if (bytesRead === 0) return null
    at += bytesRead
  }
  return size < TINY ? Bytes.fromBuffer(bytes.subarray(HEAD_ROOM)).detached() : Bytes.withRoom(bytes)
}

/** Whether a place is below the folder, by names that clients may see. */
function isBelow(root: string, place: string): boolean {
  if (place === root) return true
  const from = root.endsWith(sep) ? root : root + sep
  return place.startsWith(from) && relative(root, place).split(sep).every(mayBeShown)
}

function sameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.length === other.length && one.every((each, i) => each === other[i])
}
