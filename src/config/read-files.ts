import { fileDigestSync } from '../core/file-digest.ts'

/**
 * The files that a configuration is made of, by absolute path, with digests of their contents taken just before reading, so that changes
 * made during the read are noticed.
 */
export class ReadFiles {
  /** All files. */
  readonly all = new Map<string, string>()
  /** What is not part of the loaded configuration: code, certificates that listeners present, and policies given as objects. */
  readonly beside = new Map<string, string>()

  note(file: string): string {
    const content = this.all.get(file) ?? fileDigestSync(file)
    this.all.set(file, content)
    return content
  }

  noteBeside(file: string): void {
    this.beside.set(file, this.note(file))
  }

  /** A policy that is given as an object, which `identity` tells apart from others of that name. */
  noteObject(name: string, identity: string): void {
    this.beside.set(`policy ${name}`, identity)
  }
}
