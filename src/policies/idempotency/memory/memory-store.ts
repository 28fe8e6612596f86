import type { Threads } from '../../../core/threads.ts'
import type { StoreKind } from '../../open-stores.ts'
import type { StoreTools } from '../../store-tools.ts'
import type { KeyClaim, KeyClaimant, HeldKey, MakeRepeatStore, RepeatStore, StoredReply } from '../store.ts'
import { claimKey, lookAtKey, renewKeys, type Settlement, settleKey } from './topics.ts'

/** Keys and replies in the memory of the main thread, which all other threads ask. */
class MemoryRepeatStore implements RepeatStore {
  private readonly threads: Threads

  constructor(threads: Threads) {
    this.threads = threads
  }

  async claim(claimant: KeyClaimant): Promise<KeyClaim | null> {
    const [claim] = await this.threads.askMain(claimKey, claimant)
    return claim ?? null
  }

  async look(claimant: KeyClaimant): Promise<KeyClaim | null> {
    const [claim] = await this.threads.askMain(lookAtKey, claimant)
    return claim ?? null
  }

  async renew(held: readonly HeldKey[]): Promise<void> {
    await this.threads.askMain(renewKeys, held)
  }

  keep(held: HeldKey, reply: StoredReply, perClient: number): Promise<boolean> {
    return this.settle({ as: 'kept', held, reply, perClient })
  }

  spend(held: HeldKey, perClient: number): Promise<boolean> {
    return this.settle({ as: 'spent', held, perClient })
  }

  release(held: HeldKey): Promise<boolean> {
    return this.settle({ as: 'released', held })
  }

  private async settle(settlement: Settlement): Promise<boolean> {
    const [settled = false] = await this.threads.askMain(settleKey, settlement)
    return settled
  }
}

/** Replies in the memory of the process. */
export const memoryRepeats = {
  name: 'memory',
  open:
    ({ allThreads }: StoreTools): MakeRepeatStore =>
    () =>
      new MemoryRepeatStore(allThreads),
} as const satisfies StoreKind<MakeRepeatStore>
