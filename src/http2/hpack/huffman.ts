import { END_OF_STRING, symbolCodes, type SymbolCode } from './huffman-code.ts'

/**
 * A step of the decoder, by state and byte, packed into one number: the next state, the number of symbols completed (at
 * most two, as no code has fewer than five bits), and those symbols. A state is an inner node of the code tree.
 */
const NEXT = 0xff
const COUNT_SHIFT = 8
const FIRST_SHIFT = 16
const SECOND_SHIFT = 24
/** Decoding fails here: the input contains the end-of-string symbol. */
const BROKEN = 3

/** Created for the first string: 256 KiB that a gateway without HTTP/2 does not need. */
let steps: Int32Array | null = null
/**
 * For each state: 1 where a string may end, with up to seven bits of the end-of-string symbol as padding (section 5.2).
 */
const mayEnd = new Uint8Array(256)

/**
 * Decodes the string at start..end into `into`, starting at `at`; there must be room for 8 bytes for every 5.
 * Returns the offset after the last byte written, or -1 where the encoding is invalid (RFC 7541 section 5.2).
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, into: Uint8Array, at: number): number {
  const table = (steps ??= makeSteps())
  let state = 0
  let to = at
  for (let i = start; i < end; i++) {
    const step = table[(state << 8) | bytes[i]!]!
    const count = (step >> COUNT_SHIFT) & BROKEN
    if (count === BROKEN) return -1
    into[to] = step >> FIRST_SHIFT
    into[to + 1] = step >> SECOND_SHIFT
    to += count
    state = step & NEXT
  }
  return mayEnd[state] === 1 ? to : -1
}

/** A node of the tree: what follows a 0 and a 1; a number is a symbol. */
interface Node {
  readonly place: number
  readonly next: [Node | number | null, Node | number | null]
}

function makeSteps(): Int32Array {
  const nodes = treeOf(symbolCodes())
  const table = new Int32Array(256 * 256)
  const [root] = nodes
  if (root === undefined) return table
  markEnds(root)
  for (const node of nodes)
    for (let byte = 0; byte < 256; byte++) table[(node.place << 8) | byte] = stepFrom(root, node, byte)
  return table
}

function treeOf(codes: readonly SymbolCode[]): readonly Node[] {
  const root: Node = { place: 0, next: [null, null] }
  const nodes = [root]
  for (const { symbol, code, length } of codes) {
    let node = root
    for (let bit = length - 1; bit > 0; bit--) {
      const side = Math.floor(code / 2 ** bit) % 2 === 0 ? 0 : 1
      const known = node.next[side]
      const next: Node =
        known !== null && typeof known !== 'number' ? known : { place: nodes.length, next: [null, null] }
      if (known === null) nodes.push(next)
      node.next[side] = next
      node = next
    }
    node.next[code % 2 === 0 ? 0 : 1] = symbol
  }
  return nodes
}

/** After the last symbol, up to seven ones are padding. */
function markEnds(root: Node): void {
  let node: Node | number | null = root
  for (let bits = 0; bits < 8 && node !== null && typeof node !== 'number'; bits++) {
    mayEnd[node.place] = 1
    node = node.next[1]
  }
}

function stepFrom(root: Node, from: Node, byte: number): number {
  let node = from
  const symbols: number[] = []
  for (let bit = 7; bit >= 0; bit--) {
    const next = node.next[(byte >> bit) & 1 ? 1 : 0]
    if (next === null || next === END_OF_STRING) return BROKEN << COUNT_SHIFT
    if (typeof next === 'number') symbols.push(next)
    node = typeof next === 'number' ? root : next
  }
  const [first = 0, second = 0] = symbols
  return node.place | (symbols.length << COUNT_SHIFT) | (first << FIRST_SHIFT) | (second << SECOND_SHIFT)
}

/** By symbol. */
const codes = Array.from({ length: 256 }, () => ({ code: 0, length: 0 }))
for (const { symbol, code, length } of symbolCodes()) if (symbol !== END_OF_STRING) codes[symbol] = { code, length }

/** Huffman-codes a text; both input and result have one character per byte. */
export function encodeHuffman(text: string): string {
  let coded = ''
  /** Pending bits that do not fill a byte yet: at most 7, plus a code of at most 30, which exceeds an Int32. */
  let bits = 0
  let count = 0
  for (let i = 0; i < text.length; i++) {
    const { code, length } = codes[text.charCodeAt(i)]!
    bits = bits * 2 ** length + code
    count += length
    while (count >= 8) {
      count -= 8
      const byte = Math.floor(bits / 2 ** count)
      coded += String.fromCharCode(byte)
      bits -= byte * 2 ** count
    }
  }
  if (count === 0) return coded
  return coded + String.fromCharCode(bits * 2 ** (8 - count) + 2 ** (8 - count) - 1)
}
