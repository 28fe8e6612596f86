import { hash } from 'node:crypto'
import type { JsonDocument } from '../../core/document.ts'
import type { Steps } from '../../core/slices.ts'

/**
 * What was made of documents in this thread, which takes long: once of each, and of an equal one too, as the next configuration
 * has it, for as long as somebody uses what was made.
 */
export class MadeOnce<Made extends object> {
  private readonly byDocument = new WeakMap<JsonDocument, Made>()
  private readonly byContent = new Map<string, WeakRef<Made>>()
  private readonly gone = new FinalizationRegistry<string>((content) => {
    if (this.byContent.get(content)?.deref() === undefined) this.byContent.delete(content)
  })

  private keep(content: string, made: Made): Made {
    this.byContent.set(content, new WeakRef(made))
    this.gone.register(made, content)
    return made
  }

  /** What was made of the document before, or what `make` makes now, in steps. */
  *get(document: JsonDocument, make: () => Steps<Made>): Steps<Made> {
    const known = this.byDocument.get(document)
    if (known !== undefined) return known
    const content = hash('sha256', JSON.stringify(document), 'base64')
    const made = this.byContent.get(content)?.deref() ?? this.keep(content, yield* make())
    this.byDocument.set(document, made)
    return made
  }
}
