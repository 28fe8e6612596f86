/** The part of Node's own llhttp binding that the wire tests use. */
declare module 'node:_http_common' {
  export class HTTPParser {
    static readonly REQUEST: number
    static readonly RESPONSE: number
    static readonly kOnHeaders: number
    static readonly kOnHeadersComplete: number
    static readonly kOnBody: number
    static readonly kOnMessageComplete: number
    static readonly kLenientNone: number
    initialize(type: number, resource: object, maximumHeadSize: number, leniency: number): void
    execute(bytes: Buffer): number | Error
    finish(): Error | undefined
    close(): void
  }
  export const methods: readonly string[]
}
