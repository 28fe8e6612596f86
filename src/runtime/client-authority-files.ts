import { messageOf } from '../core/error-facts.ts'
import type { Logger } from '../core/logger.ts'
import type { FileWatcher } from '../core/watch-files.ts'
import { type ClientAuthorities, type ClientAuthorityPlaces, readClientAuthorities } from '../tls/client-authorities.ts'

/**
 * The authorities for client certificates of one listener, which are reloaded when their files change. If a file is invalid, the previous
 * authorities remain in use.
 */
export class ClientAuthorityFiles {
  private readonly places: ClientAuthorityPlaces
  private readonly files: FileWatcher
  private readonly log: Logger
  /** Null if they have never been valid; then no client is admitted. */
  current: ClientAuthorities | null = null

  /** With `strict`, throws an Error that says what is wrong with an invalid file. */
  constructor(places: ClientAuthorityPlaces, files: FileWatcher, log: Logger, strict = false) {
    this.places = places
    this.files = files
    this.log = log
    this.read(strict)
  }

  /** Calls `listener` whenever they change; returns a function that stops this. */
  onChange(listener: () => void): () => void {
    const { ca, crl } = this.places
    const look = (): void => {
      if (this.read()) listener()
    }
    const end = this.files.watch(crl === undefined ? [ca] : [ca, crl], look)
    // The watcher does not report changes made before it started.
    look()
    return end
  }

  /** Returns whether they have changed. */
  private read(strict = false): boolean {
    const { places, log, current } = this
    try {
      const read = readClientAuthorities(places)
      if (current?.ca === read.ca && current.crls.join() === read.crls.join()) return false
      this.current = read
      if (current !== null) log.info({ ...places }, 'CA certificates for client certificates were replaced')
      return true
    } catch (error) {
      const reason = messageOf(error)
      if (strict)
        throw new Error(`CA certificates for client certificates cannot be used: ${places.ca}: ${reason}`, {
          cause: error,
        })
      log.error(
        { ...places, reason },
        'CA certificates for client certificates cannot be used: the previous ones stay in use',
      )
      return false
    }
  }
}
