import type { Address } from '../core/address.ts'
import { otherTurns } from '../core/slices.ts'
import {
  abandonTopic,
  commitTopic,
  type NextGeneration,
  type Preparation,
  prepareTopic,
} from '../front/next-generation.ts'
import type { PreparedFleet } from '../runtime/fleet.ts'
import type { RunningWorker } from './running-worker.ts'

/** How long a worker may take to make a configuration ready, in milliseconds. */
const PREPARATION = 60_000
/** How long it may take to answer by what it was told, in milliseconds. */
export const COMMITMENT = 5_000

/** A worker has ended while it made a configuration ready, whatever that is worth. */
export class WorkerLostError extends Error {}

/** What is asked of a worker. */
type Asked = Pick<RunningWorker, 'ask' | 'isGone'>

export interface PreparedWorkers<One extends Asked = RunningWorker> extends Omit<PreparedFleet, 'commit'> {
  /** They answer by it from now on. Resolves with those that do, and the descriptors on which each of them listens. */
  readonly commit: () => Promise<ReadonlyMap<One, readonly number[]>>
}

/**
 * Makes a configuration ready in these workers, with the descriptors that were `given` for its listeners. Rejects with an Error
 * that says why one cannot, with WorkerLostError where one has ended; nothing is left then.
 */
export async function prepareWorkers<One extends Asked>(
  workers: readonly One[],
  next: NextGeneration,
  given: readonly (number | null)[],
): Promise<PreparedWorkers<One>> {
  const { number } = next
  const wanted = next.config.listeners.map(({ address }) => address)
  const abandon = (): Promise<unknown> => Promise.all(workers.map((worker) => worker.ask(abandonTopic.name, number)))
  let givenUp = false
  try {
    // The first one finds out the ports where the configuration leaves them open.
    const [first, ...others] = workers
    const preparation = { ...next, given, shared: true }
    const addresses =
      first === undefined ? wanted : await prepare(first, { ...preparation, addresses: null, first: true })
    await Promise.all(
      others.map(async (worker, i) => {
        // To send a large configuration takes its time: each has a turn of its own.
        for (let turn = 0; turn <= i; turn++) await otherTurns()
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
  if (answer === undefined && worker.isGone)
    throw new WorkerLostError('a worker ended while it prepared the configuration: the log says why')
  if (answer === undefined) throw new Error(`a worker was not ready within ${PREPARATION / 1000} seconds`)
  if (answer.addresses === null) throw new Error(answer.problem)
  return answer.addresses
}

async function commit<One extends Asked>(
  workers: readonly One[],
  number: number,
): Promise<ReadonlyMap<One, readonly number[]>> {
  const committed = new Map<One, readonly number[]>()
  const tell = async (worker: One): Promise<void> => {
    const [descriptors = null] = commitTopic.answers(await worker.ask(commitTopic.name, number, COMMITMENT))
    if (descriptors !== null) committed.set(worker, descriptors)
  }
  await Promise.all(workers.map(tell))
  return committed
}
