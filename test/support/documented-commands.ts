/** Programs whose calls are shown in a document. */
const PROGRAM = /^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:sallyport|curl|npx sallyport|npm run -s sallyport)\b/

/** Whether a block calls the gateway's command line, or a gateway with curl. */
export function hasCommands(code: string): boolean {
  return code.split('\n').some((line) => PROGRAM.test(line))
}

/** The lines to type: those after "$ ", with their continuation lines; all lines if none is marked like that. */
export function linesOf(code: string): string[] {
  const joined = code.replaceAll(/\\\n\s*/g, '').split('\n')
  const typed = joined.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2))
  return typed.length > 0 ? typed : joined
}
