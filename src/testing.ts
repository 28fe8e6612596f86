/** Tools for testing policies, published as `sallyport/testing`. */
export { applyPolicy, type PolicyTestOptions } from './testing/apply-policy.ts'
export { fakeApiKeys } from './testing/fake-api-keys.ts'
export { type FakeMetrics, fakeMetrics } from './testing/fake-metrics.ts'
export { type ExchangeParts, fakeExchange } from './testing/fake-exchange.ts'
export { ManualClock } from './testing/manual-clock.ts'
export { startTestGateway, type TestGateway } from './testing/test-gateway.ts'
