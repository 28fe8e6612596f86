/** The part of an answer that says how a change went on the gateways that share a Redis. */
export interface OnReplicas {
  readonly replicas: readonly { readonly name: string; readonly problem: string | null }[]
  readonly unreached: string | null
}

/** What is said about a change after it was made. */
export interface Said {
  readonly tone: 'good' | 'warning'
  readonly text: string
}

/** What was done, and on which gateways it was not, or may not have been. */
export function saidOf(done: string, { replicas, unreached }: OnReplicas): Said {
  const failed = replicas.flatMap(({ name, problem }) => (problem === null ? [] : [`Not on ${name}: ${problem}`]))
  const reasons = unreached === null ? failed : [...failed, unreached]
  return {
    tone: reasons.length === 0 ? 'good' : 'warning',
    text: [done, ...reasons.map((reason) => `${reason.replace(/\.$/, '')}.`)].join(' '),
  }
}
