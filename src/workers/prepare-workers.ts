import type { Address } from '../core/address.ts'
import { yieldToEventLoop } from '../core/time-slices.ts'
import {
  abandonTopic,
  commitTopic,
  type NextGeneration,
  type Preparation,
  prepareTopic,
} from '../front/next-generation.ts'
import type { PreparedFleet } from '../runtime/fleet.ts'
import type { RunningWorker } from './running-worker.ts'

/** Time limit for a worker to prepare a configuration, in milliseconds. */
const PREPARATION = 60_000
/** Time limit for a worker to put it into effect, in milliseconds. */
export const COMMITMENT = 5_000

/** A worker ended while preparing a configuration, which says nothing about the configuration itself. */
export class WorkerLostError extends Error {}

/** The required methods of a worker. */
type Asked = Pick<RunningWorker, 'ask' | 'hasEnded'>

export interface PreparedWorkers<One extends Asked = RunningWorker> extends Omit<PreparedFleet, 'commit'> {
  /** Puts it into effect. Resolves with the workers where it is, and the descriptors on which each of them listens. */
  readonly commit: () => Promise<ReadonlyMap<One, readonly number[]>>
}

/**
 * Prepares a configuration in these workers, with the descriptors `inherited` for its listeners. Rejects with an Error that says why a worker
 * cannot, or with WorkerLostError if one has ended; nothing is left behind in that case.
 */
export async function prepareWorkers<One extends Asked>(
  workers: readonly One[],
  next: NextGeneration,
  inherited: readonly (number | null)[],
): Promise<PreparedWorkers<One>> {
  const { number } = next
  const configured = next.config.listeners.map(({ address }) => address)
  const abandon = (): Promise<unknown> => Promise.all(workers.map((worker) => worker.ask(abandonTopic.name, number)))
  let givenUp = false
  try {
    // The first worker determines the ports that the configuration leaves open.
    const [first, ...others] = workers
    const preparation = { ...next, inherited, shared: true }
    const addresses =
      first === undefined ? configured : await prepare(first, { ...preparation, addresses: null, first: true })
    await Promise.all(
      others.map(async (worker, i) => {
        // Sending a large configuration takes time, so other work gets a turn between workers.
        for (let turn = 0; turn <= i; turn++) await yieldToEventLoop()
        if (!givenUp) await prepare(worker, { ...preparation, addresses, first: false })
      }),
    )
    return { addresses, abandon: () => void abandon(), commit: () => commit(workers, number) }
  } catch (error) {
    givenUp = true
    await abandon()
    throw error
  }
}

async function prepare(worker: Asked, preparation: Preparation): Promise<readonly Address[]> {
  const [answer] = prepareTopic.answers(await worker.ask(prepareTopic.name, preparation, PREPARATION))
  if (answer === undefined && worker.hasEnded)
    throw new WorkerLostError('a worker ended while it prepared the configuration: see the log for the reason')
  if (answer === undefined) throw new Error(`a worker was not ready within ${PREPARATION / 1000} seconds`)
  if (answer.addresses === null) throw new Error(answer.problem)
  return answer.addresses
}

async function commit<One extends Asked>(
  workers: readonly One[],
  number: number,
): Promise<ReadonlyMap<One, readonly number[]>> {
  const committed = new Map<One, readonly number[]>()
  const commitIn = async (worker: One): Promise<void> => {
    const [descriptors = null] = commitTopic.answers(await worker.ask(commitTopic.name, number, COMMITMENT))
    if (descriptors !== null) committed.set(worker, descriptors)
  }
  await Promise.all(workers.map(commitIn))
  return committed
}
