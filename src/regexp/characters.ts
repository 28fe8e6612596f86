/** Most characters beyond ASCII that are cached: clients choose which characters occur. */
const MAXIMUM_CHARACTERS = 16_384

/** Groups characters into classes: characters of a class are matched by the same atoms. */
export class Characters {
  /** Class -> for each atom, whether it matches characters of the class. */
  readonly taken: (readonly boolean[])[] = []
  private readonly atoms: readonly RegExp[]
  /** Code point -> class. */
  private readonly ascii = Array<number>(128).fill(-1)
  private readonly others = new Map<number, number>()
  private readonly classes = new Map<string, number>()

  constructor(atoms: readonly string[], ignoresCase: boolean) {
    this.atoms = atoms.map((source) => new RegExp(`^(?:${source})$`, ignoresCase ? 'iu' : 'u'))
  }

  classOf(code: number): number {
    const known = (code < 128 ? this.ascii[code] : this.others.get(code)) ?? -1
    if (known !== -1) return known
    const character = String.fromCodePoint(code)
    const taken = this.atoms.map((atom) => atom.test(character))
    const key = taken.map(Number).join('')
    const kind = this.classes.get(key) ?? this.taken.push(taken) - 1
    this.classes.set(key, kind)
    if (this.others.size === MAXIMUM_CHARACTERS) this.others.clear()
    if (code < 128) this.ascii[code] = kind
    else this.others.set(code, kind)
    return kind
  }
}
