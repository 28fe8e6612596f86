import { BoundedMap } from './bounded-map.ts'

/** At least so many answers are kept: clients send few different texts, and one that makes them up costs no more than this. */
const CAPACITY = 128

/** Keeps the answers to the texts that were asked last. */
export function remember<Answer>(find: (text: string) => Answer): (text: string) => Answer {
  const known = new BoundedMap<string, Answer>(CAPACITY)
  return (text) => {
    const kept = known.get(text)
    if (kept !== undefined) return kept
    const answer = find(text)
    known.set(text, answer)
    return answer
  }
}
