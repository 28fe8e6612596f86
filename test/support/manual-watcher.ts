import type { FileWatcher } from '../../src/core/watch-files.ts'

/** A file watcher that reports a change when the test says so. */
export interface ManualWatcher extends FileWatcher {
  /** The watched files. */
  readonly paths: readonly string[]
  change(path: string): void
}

/** Watches nothing itself. */
export function createManualWatcher(): ManualWatcher {
  const watched = new Map<object, { readonly paths: readonly string[]; readonly changed: () => void }>()
  return {
    watch(paths, changed) {
      const key = {}
      watched.set(key, { paths, changed })
      return () => void watched.delete(key)
    },
    close: () => watched.clear(),
    get paths() {
      return [...watched.values()].flatMap(({ paths }) => paths)
    },
    change(path) {
      for (const { paths, changed } of watched.values()) if (paths.includes(path)) changed()
    },
  }
}
