const SECRET = /auth(?!or(?!i[sz]))|key|token|secret|pass|cookie|credential|session|signature/i

/** Whether what has such a name is for nobody to read, such as a field Authorization. */
export function isSecretName(name: string): boolean {
  return SECRET.test(name)
}
