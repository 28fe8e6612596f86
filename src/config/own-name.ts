import { registerHooks } from 'node:module'

/** What a file outside the package may import from it. */
const entries: Readonly<Record<string, string>> = { sallyport: 'gateway', 'sallyport/testing': 'testing' }

const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'

let registered = false

/**
 * Makes `import … from 'sallyport'` resolve to the running gateway in this thread, wherever the importing file is: policies and
 * configurations need no installation next to them and share their classes with the gateway.
 */
export function resolveOwnName(): void {
  if (registered) return
  registered = true
  registerHooks({
    resolve(specifier, context, next) {
      const entry = entries[specifier]
      if (entry === undefined) return next(specifier, context)
      return { url: new URL(`../${entry}.${ending}`, import.meta.url).href, shortCircuit: true }
    },
  })
}
