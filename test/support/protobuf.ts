/** A Protocol Buffers message, parsed without its schema. */
export interface Message {
  /** The nested messages with that field number. */
  messages(field: number): Message[]
  /** 0 if there is none. */
  number(field: number): bigint
  /** Empty if there are none. */
  bytes(field: number): Buffer
  /** "" if there is none. */
  text(field: number): string
  has(field: number): boolean
}

/** Parses a message; throws a RangeError if it is truncated. */
export function readMessage(bytes: Buffer): Message {
  const fields = new Map<number, (bigint | Buffer)[]>()
  let at = 0
  while (at < bytes.length) {
    const key = Number(varint())
    const values = fields.get(key >> 3) ?? []
    fields.set(key >> 3, values)
    values.push(value(key & 7))
  }
  const last = (field: number) => fields.get(field)?.at(-1)
  const bytesOf = (field: number): Buffer => {
    const found = last(field)
    return Buffer.isBuffer(found) ? found : Buffer.alloc(0)
  }
  return {
    messages: (field) => (fields.get(field) ?? []).filter((each) => Buffer.isBuffer(each)).map(readMessage),
    number(field) {
      const found = last(field)
      return typeof found === 'bigint' ? found : 0n
    },
    bytes: bytesOf,
    text: (field) => bytesOf(field).toString('utf8'),
    has: (field) => fields.has(field),
  }

  function value(type: number): bigint | Buffer {
    if (type === 0) return varint()
    const length = type === 1 ? 8 : type === 5 ? 4 : Number(varint())
    at += length
    if (at > bytes.length) throw new RangeError('the message breaks off')
    const content = bytes.subarray(at - length, at)
    if (type === 1) return content.readBigUInt64LE()
    return type === 5 ? BigInt(content.readUInt32LE()) : content
  }

  function varint(): bigint {
    let sum = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++)
      sum |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, sum)
    }
  }
}

/** Attributes: messages with a key and a value that is a text, a boolean or an integer. */
export function readValues(pairs: readonly Message[]): Record<string, unknown> {
  return Object.fromEntries(pairs.map((pair): [string, unknown] => [pair.text(1), valueOf(pair.messages(2)[0])]))
}

function valueOf(value: Message | undefined): unknown {
  if (value?.has(1)) return value.text(1)
  if (value?.has(2)) return value.number(2) === 1n
  if (value?.has(3)) return Number(value.number(3))
  throw new RangeError('an attribute has no value that is known here')
}
