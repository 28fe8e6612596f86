/** Words of a node: the hash of its key or tag, the previous and the next node, and the entry that it belongs to. */
export const NODE_WORDS = 4
const HASH = 0
const PREVIOUS = 1
const NEXT = 2
const ENTRY = 3

/**
 * Doubly linked lists of nodes in shared memory, identified by the index of their first word; 0 is none. Only the thread with the
 * write lock changes them. Others may read them, and must then check that nothing has changed meanwhile.
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

  /** Inserts a node at the beginning of the chain with that head. */
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

  /** Removes a node from the chain with that head. */
  remove(head: number, node: number): void {
    this.link(head, this.word(node + PREVIOUS), this.word(node + NEXT))
  }

  /** Updates the links to a node of that chain which was copied to another position. */
  relink(head: number, node: number, entry: number): void {
    const [previous, next] = [this.word(node + PREVIOUS), this.word(node + NEXT)]
    this.words[node + ENTRY] = entry
    this.words[previous === 0 ? head : previous + NEXT] = node
    if (next !== 0) this.words[next + PREVIOUS] = node
  }

  private link(head: number, previous: number, next: number): void {
    this.words[previous === 0 ? head : previous + NEXT] = next
    if (next !== 0) this.words[next + PREVIOUS] = previous
  }

  private word(at: number): number {
    return this.words[at] ?? 0
  }
}
