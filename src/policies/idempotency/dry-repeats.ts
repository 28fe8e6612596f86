import type { Metrics } from '../../core/metrics.ts'
import type { Repeats, RepeatStoreName } from './repeat-stores.ts'
import type { RepeatStore } from './store.ts'

const done = (): Promise<boolean> => Promise.resolve(true)

/** For dry runs: stored replies are found, but no key is claimed and nothing is stored. */
export class DryRepeats implements Repeats {
  private readonly repeats: Repeats

  constructor(repeats: Repeats) {
    this.repeats = repeats
  }

  get preferred(): RepeatStoreName {
    return this.repeats.preferred
  }

  store(name: RepeatStoreName, metrics: Metrics): RepeatStore {
    const store = this.repeats.store(name, metrics)
    const look: RepeatStore['look'] = (claimant) => store.look(claimant)
    return { claim: look, look, renew: () => Promise.resolve(), keep: done, spend: done, release: done }
  }
}
