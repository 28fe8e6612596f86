#!/usr/bin/node
// /usr/bin/sallyport of the image. The kernel keeps from process 1 every signal that it has no handler for. What they do to another
// process is done here: until the gateway has handlers of its own, and when the first signal has taken these away.
'use strict'
const signals = { SIGTERM: 15, SIGINT: 2, SIGQUIT: 3, SIGHUP: 1 }
for (const [signal, number] of Object.entries(signals)) {
  process.on(signal, () => {
    if (process.listenerCount(signal) === 1) process.exit(128 + number)
  })
}
const program = '/app/bin/sallyport.cjs'
require(program)
