/** Programs of which a document shows how they are called. */
const PROGRAM = /^(?:\$ )?(?:[A-Z_]+=\S+ )*(?:sallyport|curl|npx sallyport|npm run -s sallyport)\b/

/** Whether a block calls the gateway's command line, or a gateway by curl. */
export function hasCommands(code: string): boolean {
  return code.split('\n').some((line) => PROGRAM.test(line))
}

/** The lines that are typed: those after "$ ", with what goes on in the next line; all of them where nothing is marked so. */
export function linesOf(code: string): string[] {
  const joined = code.replaceAll(/\\\n\s*/g, '').split('\n')
  const typed = joined.filter((line) => line.startsWith('$ ')).map((line) => line.slice(2))
  return typed.length > 0 ? typed : joined
}
