import { ProtoError } from './proto-error.ts'
import { type Token, tokensOf } from './tokens.ts'

const END: Token = { kind: 'end', text: '', line: 0 }

/** Reads the tokens of one file in order. */
export class Reader {
  readonly file: string
  private readonly tokens: readonly Token[]
  private at = 0

  /** Throws ProtoError. */
  constructor(source: string, file: string) {
    this.file = file
    this.tokens = tokensOf(source, file)
  }

  get line(): number {
    return this.peek().line
  }

  get atEnd(): boolean {
    return this.peek().kind === 'end'
  }

  peek(ahead = 0): Token {
    return this.tokens[this.at + ahead] ?? this.tokens.at(-1) ?? END
  }

  next(): Token {
    const token = this.peek()
    this.at++
    return token
  }

  /** Whether the next token is that name or symbol. */
  sees(text: string): boolean {
    const { kind, text: seen } = this.peek()
    return seen === text && (kind === 'name' || kind === 'symbol')
  }

  /** Consumes that name or symbol if it is next. */
  takes(text: string): boolean {
    const seen = this.sees(text)
    if (seen) this.at++
    return seen
  }

  /** Consumes that name or symbol. Throws ProtoError if the next token is a different one. */
  expect(text: string): void {
    if (!this.takes(text)) throw this.unexpected(JSON.stringify(text))
  }

  name(): string {
    const { kind, text } = this.peek()
    if (kind !== 'name') throw this.unexpected('a name')
    this.at++
    return text
  }

  /** Names separated by dots; `absolute` allows a leading dot. */
  path(absolute = false): string {
    const leading = absolute && this.takes('.') ? '.' : ''
    const names = [this.name()]
    while (this.takes('.')) names.push(this.name())
    return leading + names.join('.')
  }

  /** A string, decoded as UTF-8; adjacent strings are concatenated. */
  text(): string {
    return Buffer.from(this.bytes(), 'latin1').toString('utf8')
  }

  /** The same with one character per byte. */
  bytes(): string {
    if (this.peek().kind !== 'text') throw this.unexpected('a text')
    let text = ''
    while (this.peek().kind === 'text') text += this.next().text
    return text
  }

  /** An integer, which may be negative if `signed`. */
  integer(signed = false): number {
    const negative = signed && this.takes('-')
    const { kind, text } = this.peek()
    const value = kind === 'number' ? integerOf(text) : null
    if (value === null) throw this.unexpected('a whole number')
    this.at++
    return negative ? -value : value
  }

  fail(message: string, line = this.line): never {
    throw new ProtoError(this.file, line, message)
  }

  unexpected(expected: string): ProtoError {
    const { kind, text, line } = this.peek()
    const found = kind === 'end' ? 'the end of the file' : JSON.stringify(text)
    return new ProtoError(this.file, line, `${found}; expected ${expected}`)
  }
}

/** Decimal, octal or hexadecimal; null if it is not an integer, or not exactly representable. */
function integerOf(text: string): number | null {
  const octal = /^0[0-7]+$/.test(text)
  if (!octal && !/^(?:0|[1-9]\d*|0[xX][\dA-Fa-f]+)$/.test(text)) return null
  const value = octal ? Number.parseInt(text, 8) : Number(text)
  return Number.isSafeInteger(value) ? value : null
}
