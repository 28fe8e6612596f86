import type { Address } from '../core/address.ts'
import {
  abandonTopic,
  commitTopic,
  type NextGeneration,
  type Preparation,
  prepareTopic,
} from '../front/next-generation.ts'
import type { PreparedFleet } from '../runtime/fleet.ts'
import type { RunningWorker } from './running-worker.ts'

/** How long a worker may take to make a configuration ready, and to answer by it, in milliseconds. */
const PREPARATION = 60_000
const COMMITMENT = 5_000

/** A worker has ended while it made a configuration ready, whatever that is worth. */
export class WorkerLostError extends Error {}

export interface PreparedWorkers extends Omit<PreparedFleet, 'commit'> {
  /** They answer by it from now on. Resolves with those that do, and the descriptors on which each of them listens. */
  readonly commit: () => Promise<ReadonlyMap<RunningWorker, readonly number[]>>
}

/**
 * Makes a configuration ready in these workers, with the descriptors that were `given` for its listeners. Rejects with an Error
 * that says why one cannot, with WorkerLostError where one has ended; nothing is left then.
 */
export async function prepareWorkers(
  workers: readonly RunningWorker[],
  next: NextGeneration,
  given: readonly (number | null)[],
): Promise<PreparedWorkers> {
  const { number } = next
  const wanted = next.config.listeners.map(({ address }) => address)
  const abandon = (): Promise<unknown> => Promise.all(workers.map((worker) => worker.ask(abandonTopic.name, number)))
  try {
    // The first one finds out the ports where the configuration leaves them open.
    const [first, ...others] = workers
    const preparation = { ...next, given, shared: true }
    const addresses =
      first === undefined ? wanted : await prepare(first, { ...preparation, addresses: null, first: true })
    await Promise.all(others.map((worker) => prepare(worker, { ...preparation, addresses, first: false })))
    return { addresses, abandon: () => void abandon(), commit: () => commit(workers, number) }
  } catch (error) {
    await abandon()
    throw error
  }
}

async function prepare(worker: RunningWorker, preparation: Preparation): Promise<readonly Address[]> {
  const [answer] = prepareTopic.answers(await worker.ask(prepareTopic.name, preparation, PREPARATION))
  if (answer === undefined && worker.isGone)
    throw new WorkerLostError('a worker ended while it made the configuration ready: the log says why')
  if (answer === undefined) throw new Error(`a worker was not ready within ${PREPARATION / 1000} seconds`)
  if (answer.addresses === null) throw new Error(answer.problem)
  return answer.addresses
}

async function commit(
  workers: readonly RunningWorker[],
  number: number,
): Promise<ReadonlyMap<RunningWorker, readonly number[]>> {
  const committed = new Map<RunningWorker, readonly number[]>()
  const tell = async (worker: RunningWorker): Promise<void> => {
    const [descriptors = null] = commitTopic.answers(await worker.ask(commitTopic.name, number, COMMITMENT))
    if (descriptors !== null) committed.set(worker, descriptors)
  }
  await Promise.all(workers.map(tell))
  return committed
}
