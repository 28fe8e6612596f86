import { hash } from 'node:crypto'
import type { JsonDocument } from '../../core/document.ts'
import type { SlicedWork } from '../../core/time-slices.ts'

/**
 * Caches expensive results derived from documents in this thread, for as long as they are in use: once for each document, and
 * shared with equal documents, such as those of the next configuration.
 */
export class MadeOnce<Made extends object> {
  private readonly byDocument = new WeakMap<JsonDocument, Made>()
  private readonly byContent = new Map<string, WeakRef<Made>>()
  private readonly registry = new FinalizationRegistry<string>((content) => {
    if (this.byContent.get(content)?.deref() === undefined) this.byContent.delete(content)
  })

  private keep(content: string, made: Made): Made {
    this.byContent.set(content, new WeakRef(made))
    this.registry.register(made, content)
    return made
  }

  /** The cached result for the document, or else what `make` creates in steps. */
  *get(document: JsonDocument, make: () => SlicedWork<Made>): SlicedWork<Made> {
    const known = this.byDocument.get(document)
    if (known !== undefined) return known
    const content = hash('sha256', JSON.stringify(document), 'base64')
    const made = this.byContent.get(content)?.deref() ?? this.keep(content, yield* make())
    this.byDocument.set(document, made)
    return made
  }
}
