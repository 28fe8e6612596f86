/** A thread that loads code passed on by other threads, in that order, and reports the return value of each file's function. */
import { parentPort } from 'node:worker_threads'
import { goBy } from '../../src/config/fresh-modules.ts'
import { importEntry } from '../../src/config/import-module.ts'
import { fieldOf } from '../../src/core/value.ts'
import type { LoadedCode } from '../../src/config/loaded-code.ts'

parentPort!.once('message', (codes: readonly LoadedCode[]) => {
  void (async () => {
    const reported: unknown[] = []
    for (const code of codes) {
      goBy(code)
      for (const entry of code.entries.values()) {
        const exported = fieldOf(await importEntry(entry), 'default')
        reported.push(typeof exported === 'function' ? await Reflect.apply(exported, undefined, []) : exported)
      }
    }
    parentPort!.postMessage(reported)
  })()
})
