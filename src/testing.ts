/** What tests of policies need: published as `sallyport/testing`. */
export { applyPolicy, type PolicyTestOptions } from './testing/apply-policy.ts'
export { fakeExchange } from './testing/fake-exchange.ts'
export { startTestGateway, type TestGateway } from './testing/test-gateway.ts'
