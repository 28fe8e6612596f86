import type { TopicHandlers } from '../../../core/threads.ts'
import type { MemoryRepeats } from './memory-repeats.ts'
import { claimKey, lookAtKey, renewKeys, settleKey } from './topics.ts'

/** Answers the threads' questions about keys in memory. Only for the main thread. */
export function answerThreads(answers: TopicHandlers, repeats: MemoryRepeats): void {
  answers.on(claimKey, (claimant) => repeats.claim(claimant))
  answers.on(lookAtKey, (claimant) => repeats.peek(claimant))
  answers.on(renewKeys, (held) => {
    repeats.renew(held)
    return true
  })
  answers.on(settleKey, (settlement) => {
    const { as, held } = settlement
    if (as === 'released') repeats.release(held)
    else if (as === 'spent') repeats.spend(held, settlement.perClient)
    else repeats.keep(held, settlement.reply, settlement.perClient)
    return true
  })
}
