/** Returns a value that is known to be present. Throws an Error naming `what` if it is missing, which is a bug in the gateway. */
export function present<Value>(value: Value | null | undefined, what: string): Value {
  if (value === null || value === undefined) throw new Error(`there is no ${what}`)
  return value
}

/** Creates a value for each key in advance. The returned function looks up the value of a key and throws for any other key. */
export function valueOfEach<Key extends string, Value>(
  keys: readonly Key[],
  make: (key: Key) => Value,
): (key: Key) => Value {
  const values = new Map(keys.map((key) => [key, make(key)]))
  return (key) => present(values.get(key), key)
}
