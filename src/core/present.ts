/** The value, which is known to be there. Throws an Error that says what is missing where it is not: a mistake in the gateway. */
export function present<Value>(value: Value | null | undefined, what: string): Value {
  if (value === null || value === undefined) throw new Error(`there is no ${what}`)
  return value
}

/** Makes a value for each of the keys beforehand. What is returned hands out that of a key, and throws for any other. */
export function valueOfEach<Key extends string, Value>(
  keys: readonly Key[],
  make: (key: Key) => Value,
): (key: Key) => Value {
  const values = new Map(keys.map((key) => [key, make(key)]))
  return (key) => present(values.get(key), key)
}
