/** The files that a configuration is made of, by their absolute paths: they are noted before they are read. */
export class ReadFiles {
  /** All of them. */
  readonly all = new Set<string>()
  /** Those whose content is not in the loaded configuration: code, and certificates that listeners show. */
  readonly beside = new Set<string>()

  note(file: string): void {
    this.all.add(file)
  }

  noteBeside(file: string): void {
    this.all.add(file)
    this.beside.add(file)
  }
}
