import { realpath } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { Clock } from './clock.ts'
import { contentNow, contentOf } from './content-of.ts'
import type { Logger } from './logger.ts'
import { WatchedFolders } from './watched-folders.ts'

/** Tells of files that have changed: one for the process is enough. */
export interface FileWatcher {
  /**
   * Has `changed` called whenever the content of one or several of the files is another than when it was called last: written,
   * replaced, gone, or there again. Watch first and read then, and no change is missed. Returns what ends it.
   */
  watch(paths: readonly string[], changed: () => void): () => void
  close(): void
}

/** How long nothing may happen in the folders until the files are looked at, in milliseconds: a change is often many events. */
const SETTLE = 250
/** How often they are looked at in any case, in milliseconds: not every file system tells of what others do. */
const LOOK = 10_000

interface Subscription {
  readonly paths: readonly string[]
  readonly changed: () => void
}

/**
 * Watches folders instead of files: a watch on a file stays with what has been renamed away, and so hears of the first
 * replacement only, be it by rename or by the link that Kubernetes swaps.
 */
export function watchFiles({ clock, log }: { readonly clock: Clock; readonly log: Logger }): FileWatcher {
  const subscriptions = new Set<Subscription>()
  /** What each file held when it was last looked at. */
  const contents = new Map<string, string>()
  const folders = new WatchedFolders(touched, log)
  let cancelSettle: (() => void) | null = null
  let cancelLook: (() => void) | null = null
  /** Whether a look is under way, and whether another one has to follow it. */
  let looking = false
  let again = false

  function touched(): void {
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
    // Folders first: what happens after the files have been read is an event then.
    const wanted = await foldersOf([...contents.keys()])
    if (cancelLook === null) return
    folders.follow(wanted)
    const changed = new Set<string>()
    for (const path of contents.keys()) {
      const content = await contentOf(path)
      const before = contents.get(path)
      if (before === undefined || before === content) continue
      contents.set(path, content)
      changed.add(path)
    }
    const concerned = [...subscriptions].filter(({ paths }) => paths.some((path) => changed.has(path)))
    for (const subscription of concerned) if (subscriptions.has(subscription)) tell(subscription)
  }

  function tell({ changed, paths }: Subscription): void {
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
        if (!contents.has(path)) contents.set(path, contentNow(path))
      }
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

/** The folders of files, and those that the links among them lead to. */
async function foldersOf(files: readonly string[]): Promise<Set<string>> {
  const targets = await Promise.all(files.map((file) => realpath(file).catch(() => file)))
  return new Set([...files, ...targets].map((file) => dirname(file)))
}
