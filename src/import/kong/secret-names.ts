const SECRET = /auth(?!or(?!i[sz]))|key|token|secret|pass|cookie|credential|session|signature/i

/** Whether the value under this name is secret, e.g. the header Authorization. */
export function isSecretName(name: string): boolean {
  return SECRET.test(name)
}
