import { ConnectionError, ErrorCode } from '../errors.ts'
import { type Field, type FieldName, fieldOf, isValue, Kind, nameOf } from './field.ts'
import { FieldTable, type Naming } from './field-table.ts'
import { decodeHuffman } from './huffman.ts'
import { neverIndex } from './never-indexed.ts'

// Bytes are read by index below an end that has been checked: each "!" asserts that, and costs nothing.

/** Maximum size of the dynamic table of a peer's encoder in bytes: the default of RFC 9113 section 6.5.2. */
export const TABLE_SIZE = 4096

/** How a literal is indexed (RFC 7541 section 6.2). */
const INDEXED = 0
const NOT_INDEXED = 1
const NEVER_INDEXED = 2

/** Receives the fields of a message one by one. */
export interface FieldSink {
  field(field: Field): void
}

/** Buffer for decoded Huffman strings, one per thread: each string is used before the next one is read. */
let room = Buffer.allocUnsafeSlow(16_384)

/**
 * Decodes the field sections of one connection, in the order in which they arrive (RFC 7541). Throws ConnectionError:
 * after a decoding error the state of the table is undefined.
 */
export class FieldDecoder {
  private naming: Naming
  private readonly table: FieldTable
  private at = 0
  private end = 0
  private bytes: Buffer = room
  /** The string that was read last: its buffer, its beginning and its end. */
  private text: Buffer = room
  private from = 0
  private to = 0

  constructor(naming: Naming) {
    this.naming = naming
    this.table = new FieldTable(naming, TABLE_SIZE)
  }

  /** Classifies names by `naming` from now on. */
  rename(naming: Naming): void {
    this.naming = naming
    this.table.rename(naming)
  }

  /** Decodes the whole section at start..end. */
  decode(bytes: Buffer, start: number, end: number, sink: FieldSink): void {
    this.bytes = bytes
    this.at = start
    this.end = end
    let first = true
    while (this.at < end) {
      const byte = bytes[this.at]!
      if (byte >= 0x80) sink.field(this.entry(this.integer(0x7f)))
      else if (byte >= 0x40) this.literal(0x3f, sink, INDEXED)
      else if (byte >= 0x20) this.resize(first)
      else this.literal(0x0f, sink, byte >= 0x10 ? NEVER_INDEXED : NOT_INDEXED)
      first &&= byte >= 0x20 && byte < 0x40
    }
  }

  private entry(index: number): Field {
    const field = index === 0 ? undefined : this.table.at(index)
    if (field === undefined) throw broken(`There is no entry ${index} in the header table.`)
    return field
  }

  private literal(
    mask: number,
    sink: FieldSink,
    indexing: typeof INDEXED | typeof NOT_INDEXED | typeof NEVER_INDEXED,
  ): void {
    const index = this.integer(mask)
    const name = index === 0 ? this.name() : this.entry(index).name
    this.string()
    const { text, from, to } = this
    const field = fieldOf(name, text.toString('latin1', from, to), isValue(text, from, to))
    if (indexing === INDEXED) this.table.add(field)
    else if (indexing === NEVER_INDEXED && field.kind !== Kind.malformed) neverIndex(name.text)
    sink.field(field)
  }

  private name(): FieldName {
    this.string()
    return nameOf(this.text, this.from, this.to, this.naming.names, this.naming.strict)
  }

  /** RFC 7541 section 4.2: only allowed at the beginning of a section. */
  private resize(first: boolean): void {
    const size = this.integer(0x1f)
    if (!first) throw broken('The size of the header table changes within a field section.')
    if (!this.table.resize(size))
      throw broken(`The size of the header table is ${size} bytes; at most ${TABLE_SIZE} are allowed.`)
  }

  /** RFC 7541 section 5.1: up to 2^28, more than any valid field section needs. */
  private integer(mask: number): number {
    const { bytes, end } = this
    const first = bytes[this.at++]! & mask
    if (first < mask) return first
    let value = first
    for (let shift = 0; shift < 28; shift += 7) {
      if (this.at >= end) throw cutOff()
      const byte = bytes[this.at++]!
      value += (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw broken('A number in the header fields is too large.')
  }

  /** RFC 7541 section 5.2. */
  private string(): void {
    if (this.at >= this.end) throw cutOff()
    const coded = this.bytes[this.at]! >= 0x80
    const length = this.integer(0x7f)
    const start = this.at
    const stop = start + length
    if (stop > this.end) throw cutOff()
    this.at = stop
    if (!coded) {
      this.text = this.bytes
      this.from = start
      this.to = stop
      return
    }
    const most = Math.ceil((length * 8) / 5) + 2
    if (most > room.length) room = Buffer.allocUnsafeSlow(most)
    this.text = room
    this.from = 0
    this.to = decodeHuffman(this.bytes, start, stop, room, 0)
    if (this.to < 0) throw broken('A string in the header fields has an invalid Huffman code (RFC 7541).')
  }
}

function broken(message: string): ConnectionError {
  return new ConnectionError(ErrorCode.compressionError, message)
}

function cutOff(): ConnectionError {
  return broken('The header fields end in the middle of one.')
}
