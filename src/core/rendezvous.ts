/** Hashes a text to a number: FNV-1a over its characters, then mixed. The same in every thread and on every machine. */
export function numberOf(text: string): number {
  let state = 0x811c9dc5
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193)
  return mix(state)
}

/** Mixes the entropy of some bits into all of them (the finalizer of MurmurHash3). */
function mix(bits: number): number {
  let state = bits
  state = Math.imul(state ^ (state >>> 16), 0x85ebca6b)
  state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35)
  return state ^ (state >>> 16)
}

/**
 * The score of a candidate for a key (weighted rendezvous hashing). The candidate with the highest score is chosen: each is chosen in
 * proportion to its weight, and a changed weight moves no more keys than necessary. `key` and `seed` are hashes of texts.
 */
export function rendezvousScore(key: number, seed: number, weight: number): number {
  // Uniform in (0, 1).
  return Math.log(((mix(key ^ seed) >>> 0) + 0.5) / 2 ** 32) / weight
}
