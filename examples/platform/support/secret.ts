const shortestSecret = 32

/** The secret that tokens are signed with, from the environment; throws an Error that says how to make one. */
export function jwtSecretOf({ JWT_SECRET = '' }: NodeJS.ProcessEnv): string {
  if (JWT_SECRET.length >= shortestSecret) return JWT_SECRET
  throw new Error(`JWT_SECRET must have at least ${shortestSecret} characters: JWT_SECRET=$(openssl rand -hex 32)`)
}
