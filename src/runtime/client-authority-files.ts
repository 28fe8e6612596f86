import { messageOf } from '../core/error-facts.ts'
import type { Logger } from '../core/logger.ts'
import type { FileWatcher } from '../core/watch-files.ts'
import { type ClientAuthorities, type ClientAuthorityPlaces, readClientAuthorities } from '../tls/client-authorities.ts'

/** The authorities of client certificates of one listener, which are read again when their files change. A bad file leaves what was there before. */
export class ClientAuthorityFiles {
  private readonly places: ClientAuthorityPlaces
  private readonly files: FileWatcher
  private readonly log: Logger
  /** Null where they have never been good: then nobody is let in. */
  current: ClientAuthorities | null = null

  /** `strict` throws an Error that says what is wrong with a file that cannot be used. */
  constructor(places: ClientAuthorityPlaces, files: FileWatcher, log: Logger, strict = false) {
    this.places = places
    this.files = files
    this.log = log
    this.read(strict)
  }

  /** Has `told` called whenever they are others; returns what ends that. */
  changed(told: () => void): () => void {
    const { ca, crl } = this.places
    const look = (): void => {
      if (this.read()) told()
    }
    const end = this.files.watch(crl === undefined ? [ca] : [ca, crl], look)
    // What has changed since they were read first is no change to the watcher.
    look()
    return end
  }

  /** Whether there are others now. */
  private read(strict = false): boolean {
    const { places, log, current } = this
    try {
      const read = readClientAuthorities(places)
      if (current?.ca === read.ca && current.crls.join() === read.crls.join()) return false
      this.current = read
      if (current !== null) log.info({ ...places }, 'Authorities of client certificates were exchanged')
      return true
    } catch (error) {
      const reason = messageOf(error)
      if (strict)
        throw new Error(`authorities of client certificates cannot be used: ${places.ca}: ${reason}`, { cause: error })
      log.error({ ...places, reason }, 'Authorities of client certificates cannot be used: those before them stay')
      return false
    }
  }
}
