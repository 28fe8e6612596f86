import { BoundedMap } from './bounded-map.ts'

/**
 * Minimum number of cached answers: clients send few different texts, and a client that makes them up gains nothing beyond a cache miss.
 */
const CAPACITY = 128

/** Caches the answers to the most recent texts. */
export function memoize<Answer>(find: (text: string) => Answer): (text: string) => Answer {
  const known = new BoundedMap<string, Answer>(CAPACITY)
  return (text) => {
    const cached = known.get(text)
    if (cached !== undefined) return cached
    const answer = find(text)
    known.set(text, answer)
    return answer
  }
}
