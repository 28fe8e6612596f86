import type { Clock } from '../../../core/clock.ts'
import type { CacheEntry } from '../store.ts'
import { hashText } from './hash-text.ts'
import { SEED } from './layout.ts'
import type { ReplyMemory } from './reply-memory.ts'
import { tagsOf } from './tag-index.ts'

/** When entries were invalidated, so that a reply requested before is not stored afterwards. Only used by the thread with the write lock. */
export class InvalidationTimes {
  private readonly memory: ReplyMemory
  private readonly clock: Clock
  private readonly seed: number

  constructor(memory: ReplyMemory, clock: Clock) {
    this.memory = memory
    this.clock = clock
    this.seed = memory.word(SEED)
  }

  /** Replies with that tag requested before now are invalid. */
  record(tag: string): void {
    this.memory.numbers[this.unitOf(tag)] = this.clock.now()
  }

  /** Any reply requested before now may be invalid: a prefix is invalidated. */
  recordPrefix(): void {
    const { numbers, layout } = this.memory
    numbers[layout.invalidations] = this.clock.now()
  }

  /** Whether the entry was possibly invalidated since it was requested, at `begun`. */
  areAfter(begun: number, entry: CacheEntry): boolean {
    const { memory } = this
    const isLater = (unit: number): boolean => memory.number(unit) > begun
    return isLater(memory.layout.invalidations) || tagsOf(entry).some((tag) => isLater(this.unitOf(tag)))
  }

  /** Tags with the same position share it, so a reply may needlessly not be stored. */
  private unitOf(tag: string): number {
    const { invalidations, invalidationMask } = this.memory.layout
    return invalidations + 1 + (hashText(tag, this.seed) & invalidationMask)
  }
}
