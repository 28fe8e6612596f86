/** An HTTP/1.1 message as a test reads it from a connection, parsed without any of the project's own code. */
export interface Message {
  /** The request or status line. */
  readonly start: string
  readonly fields: Fields
  readonly body: Buffer
  /** Sizes of the chunks, if it was chunked. */
  readonly chunks: readonly number[]
  readonly trailers: Fields
}

/** The lines of a field section, in order. */
export class Fields {
  readonly lines: readonly string[]

  constructor(lines: readonly string[]) {
    this.lines = lines
  }

  /** Values of every line with that name. */
  all(name: string): string[] {
    const start = `${name.toLowerCase()}:`
    return this.lines
      .filter((line) => line.toLowerCase().startsWith(start))
      .map((line) => line.slice(start.length).trim())
  }

  /** The value, joined if there are several lines; undefined if there is none. */
  get(name: string): string | undefined {
    const values = this.all(name)
    return values.length === 0 ? undefined : values.join(', ')
  }

  /** Names in lower case, sorted. */
  get names(): string[] {
    return this.lines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase()).toSorted()
  }
}

/** A source of incoming bytes. */
export interface Source {
  /** That many bytes. */
  take(length: number): Promise<Buffer>
  /** Everything up to and including the text. */
  until(text: string): Promise<string>
  /** Everything up to the end. */
  rest(): Promise<Buffer>
}

/** Reads a message; `bodyless` for a reply to HEAD, `request` for a message that has no content unless its length is given. */
export async function readMessage(source: Source, kind: 'request' | 'reply' | 'bodyless'): Promise<Message> {
  const [start = '', ...lines] = (await source.until('\r\n\r\n')).slice(0, -4).split('\r\n')
  const fields = new Fields(lines)
  const none = { start, fields, body: Buffer.alloc(0), chunks: [], trailers: new Fields([]) }
  if (kind === 'bodyless' || / (?:1..|204|304) /.test(`${start} `.slice(8, 14))) return none
  if (fields.get('Transfer-Encoding') === 'chunked') return { ...none, ...(await readChunks(source)) }
  const length = fields.get('Content-Length')
  if (length !== undefined) return { ...none, body: await source.take(Number(length)) }
  return kind === 'request' ? none : { ...none, body: await source.rest() }
}

async function readChunks(source: Source) {
  const parts: Buffer[] = []
  for (;;) {
    const size = Number.parseInt(await source.until('\r\n'), 16)
    if (size === 0) break
    parts.push(await source.take(size))
    if ((await source.take(2)).toString('latin1') !== '\r\n') throw new Error('a chunk does not end with CR LF')
  }
  const trailers: string[] = []
  for (;;) {
    const line = await source.until('\r\n')
    if (line === '\r\n') break
    trailers.push(line.slice(0, -2))
  }
  return { body: Buffer.concat(parts), chunks: parts.map(({ length }) => length), trailers: new Fields(trailers) }
}
