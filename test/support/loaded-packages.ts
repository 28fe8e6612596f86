/** Preloaded into a gateway under test: records which thread loads which package, one per line, in the file LOADED_PACKAGES. */
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { threadName } from 'node:worker_threads'

const file = process.env['LOADED_PACKAGES'] ?? ''
const reported = new Set<string>()

registerHooks({
  load(url, context, next) {
    const name = /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url)?.[1]
    if (name !== undefined && !reported.has(name)) {
      reported.add(name)
      appendFileSync(file, `${threadName || 'main'} ${name}\n`)
    }
    return next(url, context)
  },
})
