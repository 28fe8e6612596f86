import { z } from 'zod'

/** Schema of the path of a claim for `pickClaim`: a name whose dots lead into nested claims, or a list of steps. */
export const claimPath = z.union([z.string().min(1), z.string().min(1).array().min(1)])
