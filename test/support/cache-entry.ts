import { Bytes } from '../../src/http/body.ts'
import type { CacheEntry } from '../../src/policies/cache/store.ts'

/** An entry for http://h/a that is fresh for a minute from time 0. */
export function makeCacheEntry(parts: Partial<CacheEntry> = {}): CacheEntry {
  return {
    url: 'h/a',
    status: 200,
    fields: 'Date: Mon, 15 Jan 2024 10:30:00 GMT\r\n',
    body: Bytes.fromLatin1('body'),
    born: 0,
    lifetime: 60_000,
    staleWhileRevalidate: 0,
    staleIfError: 0,
    maxStale: true,
    guessed: false,
    etag: null,
    lastModified: null,
    date: 0,
    modified: 0,
    vary: [],
    selecting: [],
    language: null,
    groups: [],
    size: 1_000,
    ...parts,
  }
}
