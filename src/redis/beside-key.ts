/** A key that is kept on the same node of a Cluster as the given one, begins as it does, and is nobody's. */
export function besideKey(key: string): string {
  const tagged = /^[^{]*\{[^}]+\}/.exec(key)?.[0]
  return tagged === undefined ? `${key}:probe:{${key}}` : `${tagged}:probe:`
}
