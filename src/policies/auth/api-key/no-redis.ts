import { CLUSTER_NOT_READY, failureOf } from '../../../redis/failure.ts'
import type { RedisPlace } from '../../../redis/client.ts'

/** Failures that another attempt does not help against. */
const DENIED = new Set(['WRONGPASS', 'NOAUTH'])

/** What the client library says if no Sentinel names the master, with the error of the last one. */
const NO_SENTINEL = /^All sentinels are unreachable.*?Last error: (.*?)\s*$/

/** Whether Redis does not accept the user and the password, or their absence. */
export function isDenied(error: unknown): boolean {
  return DENIED.has(failureOf(error).cause)
}

/** Whether Redis has just started and is reading its data from disk. */
export function isLoading(error: unknown): boolean {
  return failureOf(error).cause === 'LOADING'
}

/** What an error says, without a full stop. Where several nodes or addresses were tried, the error itself does not say why they failed. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('lastNodeError' in error && error.lastNodeError instanceof Error) return reasonOf(error.lastNodeError)
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join(', ')
  return error.message.replace(/\.$/, '')
}

/** Why there is no connection to the Redis at that place, and what to do about it. */
export function whyNoConnection(error: unknown, place: RedisPlace): string {
  const reason = reasonOf(error)
  if (isDenied(error)) return `${reason}. Check the user name and the password in stores.redis.`
  if (isLoading(error)) return `${reason}. Try again when it has read its data.`
  if ('cluster' in place) return clusterTrouble(reason)
  const [, sentinelReason] = NO_SENTINEL.exec(reason) ?? []
  if (!('sentinels' in place) || sentinelReason === undefined)
    return `${reason}. Check that it runs and that the gateway can reach it, then try again.`
  if (failureOf(error).cause === 'no such master')
    return `the Sentinels know no master "${place.sentinels.master}". Correct stores.redis.sentinels.master, or let the Sentinels monitor a master of that name, then try again.`
  return `no Sentinel answers: ${sentinelReason.replace(/\.$/, '')}. Check that those in stores.redis.sentinels.nodes run and that the gateway can reach them, then try again.`
}

function clusterTrouble(reason: string): string {
  if (reason === CLUSTER_NOT_READY)
    return `${reason}. Check with CLUSTER INFO and CLUSTER SHARDS that every hash slot has a node that runs, then try again.`
  if (reason.includes('cluster support disabled'))
    return `${reason}. Name a node of a Cluster in stores.redis.cluster, or write stores.redis.url for a single server.`
  return `${reason}. Check that the nodes in stores.redis.cluster run and that the gateway can reach them, then try again.`
}
