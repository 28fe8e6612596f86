import { backAfter, type Drill, usual, whole } from '../drill.ts'
import { well } from '../service/behavior.ts'

/** Each of the three serves ten requests at a time; clients wait for a second. */
const slots = 10
const loaded = { ...usual, posts: 0, patience: 1000 }

/** The requests per second that they can answer, by the duration of one. */
const capacity = (mean: number): number => (usual.instances * slots * 1000) / mean

/**
 * The storm uses a service that can answer 750 per second, the overload one that can answer half as many, because three times the capacity
 * is sent.
 */
const quick = 40
const slower = 80

/** All instances are slower for a while, and clients, which wait for one second, retry failed requests. */
export const storm: Drill = {
  ...loaded,
  name: 'storm',
  title: 'A retry storm: 10 s at 30% of the capacity, with clients that retry each request up to three times',
  goal: 'recovered 2 s after its cause has ended',
  span: { total: 60, from: 10, to: 20 },
  short: { total: 40, from: 5, to: 15 },
  gets: 0.7 * capacity(quick),
  behavior: { ...well, mean: quick, slots },
  clientRetries: 3,
  begin: ({ instances }) => instances.forEach((instance) => instance.behave({ mean: quick / 0.3 })),
  end: ({ instances }) => instances.forEach((instance) => instance.behave({ mean: quick })),
  figure: backAfter,
  isMet: ({ recovery }) => recovery !== null && recovery <= 2,
}

/** Three times more requests than the service can answer. */
export const overload: Drill = {
  ...loaded,
  name: 'overload',
  title: 'Three times the load that the service can handle',
  goal: 'at least 90% of its capacity is answered before clients give up after a second',
  span: { total: 30, from: 0, to: 30 },
  short: { total: 15, from: 0, to: 15 },
  gets: 3 * capacity(slower),
  behavior: { ...well, mean: slower, slots },
  begin() {},
  end() {},
  figure: ({ goodput }) => `${whole(goodput)} of ${capacity(slower)} a second`,
  isMet: ({ goodput }) => goodput >= 0.9 * capacity(slower),
}

/** The service itself is failing: no instance is better than the others. */
export const sick: Drill = {
  ...usual,
  name: 'sick',
  title: 'All three answer half of their requests with 503',
  goal: 'no instance is ejected, and no more than half of the requests fail, as without a gateway',
  behavior: well,
  begin: ({ instances }) =>
    instances.forEach((instance) => instance.behave({ fault: 'status', status: 503, share: 0.5 })),
  end: ({ instances }) => instances.forEach((instance) => instance.behave({ fault: 'none' })),
  isMet: ({ gets, posts, seconds, ejections }) =>
    gets.failed <= 0.52 * usual.gets * seconds && posts.twice === 0 && ejections === 0,
}
