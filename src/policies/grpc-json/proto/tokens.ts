import { ProtoError } from './proto-error.ts'

/** A token of a .proto file. */
export interface Token {
  readonly kind: 'name' | 'number' | 'text' | 'symbol' | 'end'
  /** As written; for a string its value, one character per byte. */
  readonly text: string
  readonly line: number
}

const SPACE = /(?:[\s\ufeff]+|\/\/[^\n]*|\/\*[^]*?\*\/)+/y
const NAME = /[A-Za-z_]\w*/y
const NUMBER = /(?:0[xX][\dA-Fa-f]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\w.])/y
const TEXT = /"(?:[^"\\\n\0]|\\[^\n\0])*"|'(?:[^'\\\n\0]|\\[^\n\0])*'/y
const SYMBOL = /[{}[\]()<>=;:,.+-]|\/(?!\*)/y
const ESCAPE = /\\(?:[xX]([\dA-Fa-f]{1,2})|([0-7]{1,3})|u([\dA-Fa-f]{4})|U([\dA-Fa-f]{8})|(.))/g

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '?': '?',
}

/** The tokens of a .proto file, followed by one of kind "end". Throws ProtoError. */
export function tokensOf(source: string, file: string): readonly Token[] {
  const tokens: Token[] = []
  let line = 1
  let at = 0
  const next = (pattern: RegExp): string | null => {
    pattern.lastIndex = at
    const [found = null] = pattern.exec(source) ?? []
    if (found === null) return null
    at += found.length
    return found
  }
  const add = (kind: Token['kind'], text: string): void => void tokens.push({ kind, text, line })
  for (;;) {
    const space = next(SPACE) ?? ''
    line += space.split('\n').length - 1
    if (at >= source.length) break
    const name = next(NAME)
    if (name !== null) {
      add('name', name)
      continue
    }
    const number = next(NUMBER)
    if (number !== null) {
      add('number', number)
      continue
    }
    const text = next(TEXT)
    if (text !== null) {
      add('text', unescaped(text.slice(1, -1), file, line))
      continue
    }
    const symbol = next(SYMBOL)
    if (symbol === null) throw new ProtoError(file, line, unreadable(source, at))
    add('symbol', symbol)
  }
  add('end', '')
  return tokens
}

function unreadable(source: string, at: number): string {
  if (source.startsWith('/*', at)) return 'an unterminated comment; expected "*/"'
  const character = String.fromCodePoint(source.codePointAt(at) ?? 0)
  if (character === '"' || character === "'") return 'an unterminated string or escape'
  return `${JSON.stringify(character)}; expected a name, a number, a text or a symbol`
}

function unescaped(text: string, file: string, line: number): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(ESCAPE, (escape, hex?: string, octal?: string, short?: string, long?: string, letter?: string) => {
      const byte = hex === undefined ? Number.parseInt(octal ?? '', 8) : Number.parseInt(hex, 16)
      if (!Number.isNaN(byte)) return String.fromCharCode(byte & 255)
      const point = Number.parseInt(short ?? long ?? '', 16)
      if (point <= 0x10_ff_ff) return Buffer.from(String.fromCodePoint(point), 'utf8').toString('latin1')
      const known = ESCAPES[letter ?? '']
      if (known === undefined) throw new ProtoError(file, line, `the unknown escape ${escape}`)
      return known
    })
}
