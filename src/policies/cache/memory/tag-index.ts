import type { CacheEntry } from '../store.ts'
import type { Chains } from './chains.ts'
import { TAGS, tagNode } from './entry-layout.ts'
import { hashText } from './hash-text.ts'
import { SEED } from './layout.ts'
import type { ReplyMemory } from './reply-memory.ts'

/** The tag of all entries of a URL. */
export function urlTag(url: string): string {
  return `u ${url}`
}

/** The tag of all entries of a group. */
export function groupTag(group: string): string {
  return `g ${group}`
}

/** The tags of an entry. */
export function tagsOf({ url, groups }: CacheEntry): readonly string[] {
  return [urlTag(url), ...groups.map(groupTag)]
}

/** Finds stored entries by their tags. Only used by the thread with the write lock. */
export class TagIndex {
  private readonly memory: ReplyMemory
  private readonly chains: Chains
  private readonly seed: number

  constructor(memory: ReplyMemory, chains: Chains) {
    this.memory = memory
    this.chains = chains
    this.seed = memory.word(SEED)
  }

  /** Adds the entry at that word. */
  add(at: number, entry: CacheEntry): void {
    for (const [i, tag] of tagsOf(entry).entries()) this.link(tagNode(at, i), hashText(tag, this.seed), at)
  }

  /** Adds an entry again that was removed and copied to that word. */
  addAgain(at: number): void {
    for (let i = 0; i < this.memory.word(at + TAGS); i++) {
      const node = tagNode(at, i)
      this.link(node, this.chains.hash(node), at)
    }
  }

  remove(at: number): void {
    for (let i = 0; i < this.memory.word(at + TAGS); i++) {
      const node = tagNode(at, i)
      this.chains.remove(this.memory.tagOf(this.chains.hash(node)), node)
    }
  }

  /** Entries that may have the tag: their hashes are the same. */
  find(tag: string): number[] {
    const { chains, memory } = this
    const hash = hashText(tag, this.seed)
    const all = new Set<number>()
    for (let node = chains.first(memory.tagOf(hash)); node !== 0; node = chains.next(node))
      if (chains.hash(node) === hash) all.add(chains.entry(node))
    return [...all]
  }

  /** Removes everything, whatever state it is in. */
  clear(): void {
    const { words, layout } = this.memory
    words.fill(0, layout.tags, layout.tags + layout.tagMask + 1)
  }

  private link(node: number, hash: number, at: number): void {
    this.chains.add(this.memory.tagOf(hash), node, hash, at)
  }
}
