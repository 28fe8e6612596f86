/** How long a test waits for what must come, in milliseconds, before it fails and says what it waited for. */
export const PATIENCE = 10_000
