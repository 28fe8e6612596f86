import type { Clock } from '../core/clock.ts'
import { messageOf } from '../core/error-facts.ts'
import type { Logger } from '../core/logger.ts'
import { AcmeError } from './acme-error.ts'
import { adviceFor } from './advice.ts'
import type { Attempts } from './attempts.ts'
import type { IssuedCertificate } from './certificate-record.ts'
import type { ChallengeType } from './challenge.ts'

/** If less than this fraction of its lifetime is left, a failed renewal is logged as an error instead of a warning. */
const LATE = 0.2
/** How long the same error is not logged again, in milliseconds. */
const SILENCE = 10 * 60_000

/** Log messages about one certificate, with advice. */
export class Reports {
  private readonly name: string
  private readonly challenge: ChallengeType
  private readonly log: Logger
  private readonly clock: Clock
  /** The last error logged, and until when it is not repeated. */
  private lastReason = ''
  private silentUntil = 0

  constructor(name: string, challenge: ChallengeType, log: Logger, clock: Clock) {
    this.name = name
    this.challenge = challenge
    this.log = log
    this.clock = clock
  }

  issued({ directory, notAfter }: IssuedCertificate, renewal: number): void {
    const [expires, renewed] = [instant(notAfter), instant(renewal)]
    this.log.info({ certificate: this.name, directory, expires, renewal: renewed }, 'A certificate was issued')
  }

  /** One CA has refused. */
  refused(directory: string, error: unknown): void {
    const { name, challenge, clock } = this
    const [type, wait] = error instanceof AcmeError ? [error.type, error.retryAfter] : ['', null]
    const advice = adviceFor(type, name, challenge)
    const fields = {
      certificate: name,
      directory,
      challenge,
      ...errorFields(error),
      ...(advice !== undefined && { advice }),
      ...(wait !== null && { limited_until: instant(clock.wall() + wait) }),
    }
    this.log.warn(fields, 'A CA has not issued a certificate')
  }

  /** All CAs have refused. */
  notRenewed(certificate: IssuedCertificate | null, { count, until }: Attempts): void {
    const { name, log, clock } = this
    const next = { certificate: name, attempts: count, next: instant(until) }
    if (certificate === null) return log.error(next, 'No certificate yet: handshakes are refused')
    const { notBefore, notAfter } = certificate
    const fields = { ...next, expires: instant(notAfter) }
    const left = notAfter - clock.wall()
    if (left <= 0) return log.error(fields, 'A certificate has expired, and no CA has issued another one')
    if (left < (notAfter - notBefore) * LATE)
      return log.error(fields, 'A certificate expires soon, and no CA has issued another one')
    log.warn(fields, 'A certificate could not be renewed yet; it is used until it expires')
  }

  /** The store does not respond, or the lock was lost; repeated only after a while. */
  failed(error: unknown): void {
    const reason = messageOf(error)
    const now = this.clock.now()
    if (reason === this.lastReason && now < this.silentUntil) return
    this.lastReason = reason
    this.silentUntil = now + SILENCE
    this.log.error({ certificate: this.name, ...errorFields(error) }, 'A certificate cannot be managed')
  }

  /** A CA does not respond to requests for renewal information. */
  unsaid(directory: string, error: unknown): void {
    const fields = { certificate: this.name, directory, ...errorFields(error) }
    this.log.debug(fields, 'A CA did not say when to renew a certificate')
  }
}

/** Errors reported by a CA or about a lock need no stack trace. */
function errorFields(error: unknown): object {
  return error instanceof AcmeError ? { reason: error.message } : { error }
}

function instant(ms: number): string {
  return new Date(ms).toISOString()
}
