import { codeOf, messageOf } from '../core/error-facts.ts'
import { freshNameOf, removeLeftovers } from '../core/fresh-file.ts'
import { userName } from '../core/user-name.ts'
import { constants, copyFile, link, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ageCopies, copyOf } from './numbered-copies.ts'

/** Number of backup copies kept next to a file; FILE.1 is the newest. */
const COPIES = 5
/** The mode bits that chmod sets. */
const MODE = 0o7777
/** Accessible only to the gateway's user, until it gets the mode of the original file. */
const OWN_FILE = 0o600

const ELSEWHERE = 'change it where it comes from (a repository, an image, a ConfigMap), and reload'

/** Why a file cannot be replaced, and what to do. */
export class ReplaceError extends Error {}

/** The actual location of a file, and its owner. */
interface Place {
  readonly file: string
  readonly folder: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** Checks whether the file could be replaced with that text, without changing anything. Rejects with ReplaceError. */
export async function checkReplaceable(file: string, text: string): Promise<void> {
  const place = await placeOf(file)
  await rm(await writeBeside(place, text))
}

/**
 * Replaces the content of a file atomically: the new text is written to a temporary file next to it, with the same mode and owner, and
 * renamed. The previous content is kept as FILE.1, along with up to four earlier versions. On failure, rejects with ReplaceError and
 * changes nothing.
 */
export async function replaceFile(file: string, text: string): Promise<void> {
  const place = await placeOf(file)
  if ((await readFile(place.file, 'utf8')) === text) return
  const fresh = await writeBeside(place, text)
  try {
    await keepCopy(place.file)
    await rename(fresh, place.file)
  } catch (error) {
    await rm(fresh, { force: true })
    throw reasonFor(place.file, error)
  }
  await settle(place.folder)
}

/** Follows symbolic links. */
async function placeOf(named: string): Promise<Place> {
  try {
    const file = await realpath(named)
    const { mode, uid, gid } = await stat(file)
    if (await isMounted(file))
      throw new ReplaceError(`${file} is mounted by itself and cannot be replaced: mount its folder`)
    return { file, folder: dirname(file), mode: mode & MODE, uid, gid }
  } catch (error) {
    throw reasonFor(named, error)
  }
}

/** Linux lists mount points, with blanks and similar characters in octal (proc_pid_mountinfo(5)). */
async function isMounted(file: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  const written = file.replace(/[ \t\n\\]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)
  return mounts.split('\n').some((line) => line.split(' ', 5)[4] === written)
}

/** Writes a new file with that text and flushes it to disk; removes what earlier processes have left behind. */
async function writeBeside({ file, mode, uid, gid }: Place, text: string): Promise<string> {
  const fresh = freshNameOf(file)
  try {
    const handle = await open(fresh, 'wx', OWN_FILE)
    try {
      await handle.writeFile(text)
      const own = await handle.stat()
      if (own.uid !== uid || own.gid !== gid)
        await handle.chown(uid, gid).catch((error: unknown) => failToOwn(file, error))
      await handle.chmod(mode)
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch (error) {
    await rm(fresh, { force: true })
    throw reasonFor(file, error)
  }
  removeLeftovers(fresh)
  return fresh
}

function failToOwn(file: string, cause: unknown): never {
  throw new ReplaceError(
    `${file} belongs to another user or group than ${userName()}, which cannot be kept: change its owner`,
    {
      cause,
    },
  )
}

async function keepCopy(file: string): Promise<void> {
  await ageCopies(file, COPIES)
  const copy = copyOf(file, 1)
  // A hard link keeps mode and owner; not every file system supports it.
  await link(file, copy).catch(() => copyFile(file, copy, constants.COPYFILE_EXCL))
}

/** Makes the rename survive a power loss; not every system supports it. */
async function settle(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  } catch {
    // The file itself has been flushed.
  }
}

function reasonFor(file: string, error: unknown): ReplaceError {
  if (error instanceof ReplaceError) return error
  const code = codeOf(error)
  const folder = dirname(file)
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: `${file} no longer exists: put it back`,
    EROFS: `${file} is on a file system that cannot be written: ${ELSEWHERE}`,
    EACCES: `the user ${userName()} cannot write to ${folder}: change the owner or the mode of the folder, or ${ELSEWHERE}`,
    EPERM: `the user ${userName()} cannot replace ${file}: change the owner or the mode of its folder, or ${ELSEWHERE}`,
    EBUSY: `${file} is mounted by itself and cannot be replaced: mount its folder`,
    ENOSPC: `there is no space left for ${file}: free some`,
  }
  const message = messageOf(error)
  return new ReplaceError(reasons[code] ?? `${file} cannot be replaced: ${message}`, { cause: error })
}
