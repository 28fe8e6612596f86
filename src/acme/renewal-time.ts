import type { IssuedCertificate } from './certificate-record.ts'

/** Fraction of its lifetime after which a certificate is renewed if the CA does not say when; randomly slightly earlier. */
const PART = 2 / 3
const CHANCE = 0.04
/** Bounds for the time suggested by a CA: no later than this fraction of the lifetime, and no earlier than that fraction after issuance. */
const LAST = 0.95
const FIRST = 0.1

/** When to renew if the CA does not say, in wall-clock milliseconds. `chance`, from 0 to 1, spreads the renewals of many certificates. */
export function usualTime({ notBefore, notAfter, issued }: IssuedCertificate, chance: number): number {
  // Based on the remaining lifetime: a certificate issued late in its validity period would be due immediately, and its successor too.
  const start = Math.max(notBefore, issued)
  return start + (notAfter - start) * (PART - CHANCE * chance)
}

/** When to renew within the window that a CA suggests. */
export function suggestedTime(
  { notBefore, notAfter, issued }: IssuedCertificate,
  { start, end }: { start: number; end: number },
  chance: number,
): number {
  const life = notAfter - notBefore
  const chosen = start + (end - start) * chance
  // The lower bound prevents endless orders if a CA gives wrong suggestions for certificates it has just issued.
  return Math.max(Math.min(chosen, notBefore + life * LAST), issued + life * FIRST)
}
