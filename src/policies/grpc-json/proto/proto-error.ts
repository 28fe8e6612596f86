/** An error in a .proto file; its message names the file and the line. */
export class ProtoError extends Error {
  constructor(file: string, line: number, message: string) {
    super(`${file}:${line}: ${message}`)
    this.name = 'ProtoError'
  }
}
