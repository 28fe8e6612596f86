/** Gathers lines in UTF-8 and hands them over in pieces, each of whole lines. */
export class LinePieces {
  private readonly handOver: (piece: Buffer) => void
  private readonly gathered: Buffer
  private used = 0

  /** Pieces have up to `size` octets; a line that is longer is a piece by itself. */
  constructor(size: number, handOver: (piece: Buffer) => void) {
    this.gathered = Buffer.allocUnsafeSlow(size)
    this.handOver = handOver
  }

  /** Takes in a line, which ends in "\n". */
  add(line: string): void {
    const room = this.gathered.length - this.used
    // Three octets at most for each unit of UTF-16: most lines need not be measured.
    if (line.length * 3 > room && !this.makeRoom(Buffer.byteLength(line), room)) return this.handOver(Buffer.from(line))
    this.used += this.gathered.write(line, this.used)
  }

  /** Hands over what there is. */
  flush(): void {
    if (this.used === 0) return
    const piece = Buffer.from(this.gathered.subarray(0, this.used))
    this.used = 0
    this.handOver(piece)
  }

  /** False where there is none for so many octets. */
  private makeRoom(octets: number, room: number): boolean {
    if (octets > room) this.flush()
    return octets <= this.gathered.length
  }
}
