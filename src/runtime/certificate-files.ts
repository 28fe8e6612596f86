import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { FileWatcher } from '../core/watch-files.ts'
import { type KeyPair, type KeyPairPlaces, readKeyPair } from '../tls/key-pair.ts'
import type { CertificateSource } from './certificate-source.ts'

export interface CertificateFilesOptions {
  /** Each with a certificate and a key. */
  readonly pairs: readonly KeyPairPlaces[]
  readonly files: FileWatcher
  readonly clock: Clock
  readonly log: Logger
}

/** Certificates and keys in files, which are reloaded when they change. If a pair is invalid, the previous one remains in use. */
export class CertificateFiles implements CertificateSource {
  private readonly options: CertificateFilesOptions
  /** Null for a pair that has never been valid. */
  private readonly pairs: (KeyPair | null)[]

  /** With `strict`, throws an Error that says what is wrong with an invalid pair. */
  constructor(options: CertificateFilesOptions, strict = false) {
    this.options = options
    this.pairs = options.pairs.map(() => null)
    for (const [i, places] of options.pairs.entries()) this.read(places, i, strict)
  }

  current(): readonly KeyPair[] {
    return this.pairs.filter((pair) => pair !== null)
  }

  onChange(listener: () => void): () => void {
    const { pairs, files } = this.options
    const ends = pairs.map((places, i) =>
      files.watch([places.cert, places.key], () => {
        if (this.read(places, i)) listener()
      }),
    )
    // Picks up changes made after the first read and before watching started.
    const late = pairs.filter((places, i) => this.pairs[i] !== null && this.read(places, i))
    if (late.length > 0) listener()
    return () => {
      for (const end of ends) end()
    }
  }

  /** Returns whether the pair has changed. */
  private read(places: KeyPairPlaces, i: number, strict = false): boolean {
    const { clock, log } = this.options
    const { pair, problems, names, notAfter } = readKeyPair(places, clock.wall(), 'server')
    const before = this.pairs[i] ?? null
    if (pair === null || problems.length > 0) {
      if (strict) throw new Error(`a certificate cannot be used: ${problems.join('; ')}`)
      log.error(
        { cert: places.cert, key: places.key, problems },
        before === null
          ? 'A certificate cannot be used'
          : 'A certificate cannot be used: the previous one stays in use',
      )
      return false
    }
    if (pair.cert === before?.cert && pair.key === before.key) return false
    this.pairs[i] = pair
    if (before === null) return true
    log.info(
      { cert: places.cert, names, not_after: new Date(notAfter).toISOString() },
      'A certificate was replaced: new connections get the new one',
    )
    return true
  }
}
