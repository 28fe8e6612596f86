/**
 * Loaded before test files where coverage is measured: it is of the file's own process. The gateways and threads that it starts run the same
 * code, more slowly and with megabytes of counts each.
 */
if (process.env['NODE_TEST_CONTEXT'] !== undefined) delete process.env['NODE_V8_COVERAGE']
