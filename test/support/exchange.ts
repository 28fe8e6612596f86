export { fakeExchange as makeExchange } from '../../src/testing/fake-exchange.ts'
