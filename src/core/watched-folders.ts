import { type FSWatcher, statSync, watch } from 'node:fs'
import { basename } from 'node:path'
import type { Logger } from './logger.ts'

interface Watched {
  readonly watcher: FSWatcher
  /** Device and inode: a folder of the same name may be a different one. */
  readonly identity: string
}

/** Watches folders for as long as they exist. */
export class WatchedFolders {
  private readonly touched: (folder: string, name: string | null) => void
  private readonly log: Logger
  private readonly watched = new Map<string, Watched>()
  private readonly refused = new Set<string>()

  /** `touched` is called for every event in one of the folders, with the name that it is about, if the system says it. */
  constructor(touched: (folder: string, name: string | null) => void, log: Logger) {
    this.touched = touched
    this.log = log
  }

  /** Also watches this folder, if it exists. */
  add(folder: string): void {
    const identity = identityOf(folder)
    if (identity === null || this.watched.has(folder)) return
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        if (name !== basename(folder)) return this.touched(folder, name)
        // This is how the system reports that the folder itself was removed; a new one may reuse its inode. It may also be a file of that name.
        this.drop(folder)
        this.touched(folder, null)
      })
      this.watched.set(folder, { watcher, identity })
      watcher.on('error', () => this.drop(folder))
      this.refused.delete(folder)
    } catch (error) {
      if (this.refused.has(folder)) return
      this.refused.add(folder)
      this.log.warn({ folder, error }, 'The folder cannot be watched; its files are polled instead')
    }
  }

  /** Watches exactly these folders: stops watching those that were removed and adds those that were recreated. */
  follow(next: ReadonlySet<string>): void {
    for (const [folder, { identity }] of this.watched)
      if (!next.has(folder) || identityOf(folder) !== identity) this.drop(folder)
    for (const folder of next) this.add(folder)
  }

  close(): void {
    for (const folder of this.watched.keys()) this.drop(folder)
  }

  private drop(folder: string): void {
    this.watched.get(folder)?.watcher.close()
    this.watched.delete(folder)
  }
}

function identityOf(folder: string): string | null {
  const stats = statSync(folder, { throwIfNoEntry: false, bigint: true })
  return stats === undefined ? null : `${stats.dev}:${stats.ino}`
}
