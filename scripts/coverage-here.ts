/**
 * Loaded before test files where coverage is measured: it is of the processes that test whole gateways, the wires or the router. The others
 * run the same code, more slowly if it were counted, and with megabytes of counts each.
 */
import { readFileSync } from 'node:fs'
import { stopCoverage } from 'node:v8'

/** In the module of a group, which imports its files. */
const MEASURED = /\/(?:src\/(?:http[12]?|routing)|test)\/[^']*\.test\.ts'/

if (process.env['NODE_TEST_CONTEXT'] !== undefined) {
  // Not of the gateways and threads that it starts.
  delete process.env['NODE_V8_COVERAGE']
  if (!MEASURED.test(readFileSync(process.argv[1] ?? '', 'utf8'))) stopCoverage()
}
