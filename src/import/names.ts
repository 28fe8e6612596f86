/** Issues unique names of characters that are allowed in names of the configuration. */
export class Names {
  private readonly used = new Set<string>()

  /** The wanted name, or a similar one that is free. */
  take(wanted: string, otherwise: string): string {
    const plain = nameOf(wanted)
    const base = plain === '' ? otherwise : plain
    let name = base
    for (let i = 2; this.used.has(name); i++) name = `${base}-${i}`
    this.used.add(name)
    return name
  }
}

function nameOf(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9._-]+/g, '-').replaceAll(/^[^A-Za-z0-9]+|-+$/g, '')
}
