/** Derives a key that is stored on the same Cluster node as the given one, shares its prefix and is used for nothing else. */
export function besideKey(key: string): string {
  const tagged = /^[^{]*\{[^}]+\}/.exec(key)?.[0]
  return tagged === undefined ? `${key}:probe:{${key}}` : `${tagged}:probe:`
}
