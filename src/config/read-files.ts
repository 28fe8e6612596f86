import { contentNow } from '../core/content-of.ts'

/**
 * The files that a configuration is made of, by their absolute paths, with digests of what they held just before they were
 * read: what changes while it is read is told by them.
 */
export class ReadFiles {
  /** All of them. */
  readonly all = new Map<string, string>()
  /** Those whose content is not in the loaded configuration: code, and certificates that listeners show. */
  readonly beside = new Map<string, string>()

  note(file: string): string {
    const content = this.all.get(file) ?? contentNow(file)
    this.all.set(file, content)
    return content
  }

  noteBeside(file: string): void {
    this.beside.set(file, this.note(file))
  }
}
