import { asGatewayError } from '../../core/errors.ts'
import type { Counter, Metrics } from '../../core/metrics.ts'
import { CredentialError, type CredentialReason } from './credential-error.ts'
import { LoginRefused } from '../../openid/provider.ts'
import { RefusedElsewhere } from './refused-elsewhere.ts'
import type { CredentialKind } from './method.ts'

/** Credentials that were valid once, or would have been; all others count as invalid. */
const ENDED: Partial<Record<CredentialReason, 'expired' | 'revoked'>> = {
  expired: 'expired',
  'expired-key': 'expired',
  'expired-certificate': 'expired',
  inactive: 'revoked',
  session: 'expired',
}

/** Counts the results of verifying the credentials of one method. */
export class AuthCounts {
  readonly kind: CredentialKind
  readonly accepted: Counter
  readonly forbidden: Counter
  private readonly invalid: Counter
  private readonly expired: Counter
  private readonly revoked: Counter
  private readonly limited: Counter
  private readonly unavailable: Counter

  constructor(metrics: Metrics, method: string, kind: CredentialKind) {
    this.kind = kind
    const outcome = (name: string): Counter =>
      metrics.counter('sallyport_auth_outcomes_total', { method, outcome: name })
    this.accepted = outcome('accepted')
    this.forbidden = outcome('forbidden')
    this.invalid = outcome('invalid')
    this.expired = outcome('expired')
    this.revoked = outcome('revoked')
    this.limited = outcome('limited')
    this.unavailable = outcome('unavailable')
  }

  /** Counts the error that an authenticator threw. */
  failed(error: unknown): void {
    if (error instanceof CredentialError) return this[ENDED[error.reason] ?? 'invalid'].add(1)
    if (error instanceof RefusedElsewhere) return this.invalid.add(1)
    if (error instanceof LoginRefused) return this.invalid.add(1)
    const { code, fault } = asGatewayError(error)
    if (code === 'rate-limited') return this.limited.add(1)
    // Other mistakes of the client, such as another method than GET for a login, say nothing about its credentials.
    if (fault !== 'client') this.unavailable.add(1)
  }
}

/** Counts requests without credentials: those refused for lack of them, and those that do not need any. */
export class AbsenceCounts {
  readonly missing: Counter
  readonly open: Counter

  constructor(metrics: Metrics) {
    this.missing = metrics.counter('sallyport_auth_outcomes_total', { method: 'none', outcome: 'missing' })
    this.open = metrics.counter('sallyport_auth_outcomes_total', { method: 'none', outcome: 'public' })
  }
}
