/**
 * How long a test waits for an expected event, in milliseconds, before it fails and says what it waited for. It is longer than a very busy
 * machine can take, which has no cost unless something fails.
 */
export const TIMEOUT = 120_000
