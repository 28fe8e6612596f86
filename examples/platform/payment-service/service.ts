import { listen } from '../support/server.ts'
import type { InstanceOptions, RunningInstance } from '../support/server.ts'
import { openPaymentDatabase } from './database.ts'
import { paymentEndpoints } from './payments.ts'
import { transactionEndpoints } from './transactions.ts'

/** Starts an instance of the payment service: payments and transactions. */
export function createPaymentService(options: InstanceOptions): Promise<RunningInstance> {
  const database = openPaymentDatabase()
  return listen(
    {
      title: 'Payment service',
      description: 'Payments for orders, and the money that they move.',
      endpoints: [...paymentEndpoints(database), ...transactionEndpoints(database)],
    },
    options,
  )
}
