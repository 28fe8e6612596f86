/** Collects lines in UTF-8 and passes them on in pieces of whole lines. */
export class LinePieces {
  private readonly handOver: (piece: Buffer) => void
  private readonly gathered: Buffer
  private used = 0

  /** Pieces have up to `size` bytes; a longer line is a piece by itself. */
  constructor(size: number, handOver: (piece: Buffer) => void) {
    this.gathered = Buffer.allocUnsafeSlow(size)
    this.handOver = handOver
  }

  /** Adds a line, which ends in "\n". */
  add(line: string): void {
    const room = this.gathered.length - this.used
    // At most three bytes per UTF-16 code unit: most lines need not be measured.
    if (line.length * 3 > room && !this.makeRoom(Buffer.byteLength(line), room)) return this.handOver(Buffer.from(line))
    this.used += this.gathered.write(line, this.used)
  }

  /** Passes on the collected lines. */
  flush(): void {
    if (this.used === 0) return
    const piece = Buffer.from(this.gathered.subarray(0, this.used))
    this.used = 0
    this.handOver(piece)
  }

  /** Returns false if that many bytes never fit. */
  private makeRoom(bytes: number, room: number): boolean {
    if (bytes > room) this.flush()
    return bytes <= this.gathered.length
  }
}
