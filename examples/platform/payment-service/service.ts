import { type InstanceOptions, type RunningInstance, startService } from '../support/service.ts'
import { openPaymentDatabase } from './database.ts'
import { paymentRoutes } from './payments.ts'
import { transactionRoutes } from './transactions.ts'

/** Starts an instance of the payment service: payments and transactions. */
export function createPaymentService(options: InstanceOptions): Promise<RunningInstance> {
  const database = openPaymentDatabase()
  const info = { title: 'Payment service', description: 'Payments for orders, and the money that they move.' }
  return startService(info, options, (app) => {
    paymentRoutes(app, database)
    transactionRoutes(app, database)
  })
}
