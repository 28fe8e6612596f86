import type { IssuedCertificate } from './certificate-record.ts'

/** After which part of its life a certificate is renewed where the CA does not say when; a little of it earlier, by chance. */
const PART = 2 / 3
const CHANCE = 0.04
/** No later than that, whatever a CA says, and no sooner than so long after it was issued. */
const LAST = 0.95
const FIRST = 0.1

/** When to renew where the CA does not say, in wall-clock milliseconds. `chance`, from 0 to 1, keeps many from coming at once. */
export function usualTime({ notBefore, notAfter, issued }: IssuedCertificate, chance: number): number {
  // Of what is left of it: one that comes late in its life would be due at once, and the next one too.
  const start = Math.max(notBefore, issued)
  return start + (notAfter - start) * (PART - CHANCE * chance)
}

/** When to renew within the time that a CA suggests. */
export function suggestedTime(
  { notBefore, notAfter, issued }: IssuedCertificate,
  { start, end }: { start: number; end: number },
  chance: number,
): number {
  const life = notAfter - notBefore
  const chosen = start + (end - start) * chance
  // A CA that is wrong about what it has just issued would be asked for one after the other.
  return Math.max(Math.min(chosen, notBefore + life * LAST), issued + life * FIRST)
}
