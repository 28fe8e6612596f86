/** A thread that reads and tries a configuration and posts the result to the main thread, which then terminates it. */
import { parentPort } from 'node:worker_threads'
import type { ReadRequest } from './read-config.ts'
import { tryConfiguration } from './try-configuration.ts'

const port = parentPort
if (port === null) throw new Error('this file is for worker threads')

port.once('message', (asked: ReadRequest) => void tryConfiguration(asked).then((reading) => port.postMessage(reading)))
