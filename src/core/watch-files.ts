import { lstatSync, readlinkSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Clock } from './clock.ts'
import { fileDigestSync, fileDigest } from './file-digest.ts'
import type { Logger } from './logger.ts'
import { WatchedFolders } from './watched-folders.ts'

/** Reports changes to files; one per process is enough. */
export interface FileWatcher {
  /**
   * Calls `changed` whenever the content of one or more of the files differs from the previous call: modified, replaced, deleted or
   * recreated. Start watching before reading, so that no change is missed. Returns a function that stops watching.
   */
  watch(paths: readonly string[], changed: () => void): () => void
  close(): void
}

/** How long the folders must be quiet before the files are checked, in milliseconds; a single change often causes many events. */
const SETTLE = 250
/** How often the files are checked in any case, in milliseconds; not every file system reports changes made by others. */
const LOOK = 10_000

/** Maximum number of symbolic links that Linux follows, one after the other. */
const MAX_LINKS = 40

interface Subscription {
  readonly paths: readonly string[]
  readonly changed: () => void
}

/**
 * Watches folders instead of files: a watch on a file follows the file that was renamed away, so it reports only the first replacement, be
 * it by rename or by the symbolic link that Kubernetes swaps.
 */
export function watchFiles({ clock, log }: { readonly clock: Clock; readonly log: Logger }): FileWatcher {
  const subscriptions = new Set<Subscription>()
  /** Content of each file as of the last check. */
  const contents = new Map<string, string>()
  /** Names that the files have, and those that they lead to as symbolic links. */
  let names = new Set<string>()
  const folders = new WatchedFolders(touched, log)
  let cancelSettle: (() => void) | null = null
  let cancelLook: (() => void) | null = null
  /** Whether a check is in progress, and whether another one must follow. */
  let looking = false
  let again = false

  function touched(folder: string, name: string | null): void {
    // A log next to the files would keep the folder from being quiet, and cause a check whenever it is written.
    if (name !== null && !names.has(name) && isPlainFile(join(folder, name))) return
    cancelSettle?.()
    cancelSettle = clock.after(SETTLE, look)
  }

  function look(): void {
    if (looking) {
      again = true
      return
    }
    looking = true
    lookOnce()
      .catch((error: unknown) => log.error({ error }, 'Watched files could not be checked'))
      .finally(() => {
        looking = false
        if (!again) return
        again = false
        look()
      })
  }

  async function lookOnce(): Promise<void> {
    // Folders first: changes made after the files have been read then cause an event.
    const next = await foldersOf([...contents.keys()])
    if (cancelLook === null) return
    folders.follow(next)
    names = namesOf([...contents.keys()])
    const changed = new Set<string>()
    for (const path of contents.keys()) {
      const content = await fileDigest(path)
      const before = contents.get(path)
      if (before === undefined || before === content) continue
      contents.set(path, content)
      changed.add(path)
    }
    const concerned = [...subscriptions].filter(({ paths }) => paths.some((path) => changed.has(path)))
    for (const subscription of concerned) if (subscriptions.has(subscription)) notify(subscription)
  }

  function notify({ changed, paths }: Subscription): void {
    try {
      changed()
    } catch (error) {
      log.error({ error, files: paths }, 'Files have changed, and the change could not be handled')
    }
  }

  function forgetUnused(): void {
    const used = new Set([...subscriptions].flatMap(({ paths }) => paths))
    for (const path of contents.keys()) if (!used.has(path)) contents.delete(path)
    if (used.size > 0) return
    cancelSettle?.()
    cancelLook?.()
    cancelLook = null
    folders.close()
  }

  return {
    watch(paths, changed) {
      const subscription = { paths: paths.map((path) => resolve(path)), changed }
      for (const path of subscription.paths) {
        folders.add(dirname(path))
        if (!contents.has(path)) contents.set(path, fileDigestSync(path))
      }
      for (const name of namesOf(subscription.paths)) names.add(name)
      subscriptions.add(subscription)
      cancelLook ??= clock.every(LOOK, look)
      return () => {
        subscriptions.delete(subscription)
        forgetUnused()
      }
    },
    close() {
      subscriptions.clear()
      forgetUnused()
    },
  }
}

function isPlainFile(path: string): boolean {
  try {
    return lstatSync(path).isFile()
  } catch {
    // It is gone, or the folder may no longer be searched.
    return false
  }
}

/** Where a symbolic link leads; null for anything else. */
function linkOf(path: string): string | null {
  try {
    return resolve(dirname(path), readlinkSync(path))
  } catch {
    return null
  }
}

/** Names of the files, and of what they lead to as symbolic links, whether it exists or not. */
function namesOf(files: readonly string[]): Set<string> {
  const names = new Set<string>()
  for (const file of files) {
    names.add(basename(file))
    let end = linkOf(file)
    for (let links = 1; end !== null && links <= MAX_LINKS; links++) {
      names.add(basename(end))
      end = linkOf(end)
    }
  }
  return names
}

/** The folders of the files, and those that symbolic links among them point to. */
async function foldersOf(files: readonly string[]): Promise<Set<string>> {
  const targets = await Promise.all(files.map((file) => realpath(file).catch(() => file)))
  return new Set([...files, ...targets].map((file) => dirname(file)))
}
