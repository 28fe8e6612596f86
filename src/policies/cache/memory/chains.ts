/** Words of a node: the hash of what it stands for, the nodes before and behind it, and the entry that it is a part of. */
export const NODE_WORDS = 4
const HASH = 0
const PREVIOUS = 1
const NEXT = 2
const ENTRY = 3

/**
 * Chains of nodes that lie in shared memory. A node is named by the word that it begins at; 0 is none. Only who may write changes
 * chains; others may read them, and must then look whether what they have read was still so.
 */
export class Chains {
  private readonly words: Int32Array

  constructor(words: Int32Array) {
    this.words = words
  }

  first(head: number): number {
    return this.word(head)
  }

  next(node: number): number {
    return this.word(node + NEXT)
  }

  hash(node: number): number {
    return this.word(node + HASH)
  }

  entry(node: number): number {
    return this.word(node + ENTRY)
  }

  /** Puts a node at the beginning of the chain with that head. */
  add(head: number, node: number, hash: number, entry: number): void {
    const { words } = this
    const next = this.word(head)
    words[node + HASH] = hash
    words[node + PREVIOUS] = 0
    words[node + NEXT] = next
    words[node + ENTRY] = entry
    if (next !== 0) words[next + PREVIOUS] = node
    words[head] = node
  }

  /** Takes a node out of the chain with that head. */
  remove(head: number, node: number): void {
    this.join(head, this.word(node + PREVIOUS), this.word(node + NEXT))
  }

  /** A node of that chain, which lay elsewhere before, is to be found in its place again. */
  moved(head: number, node: number, entry: number): void {
    const [previous, next] = [this.word(node + PREVIOUS), this.word(node + NEXT)]
    this.words[node + ENTRY] = entry
    this.words[previous === 0 ? head : previous + NEXT] = node
    if (next !== 0) this.words[next + PREVIOUS] = node
  }

  private join(head: number, previous: number, next: number): void {
    this.words[previous === 0 ? head : previous + NEXT] = next
    if (next !== 0) this.words[next + PREVIOUS] = previous
  }

  private word(at: number): number {
    return this.words[at] ?? 0
  }
}
