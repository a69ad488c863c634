import { Failure } from '../../../coordinator/contract/failure.ts'

/** NAME=FILE words → what travels: the files' bytes as base64 by name. `read` gets the path as it was given. */
export function secretsOf(words: readonly string[], read: (path: string) => Buffer): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const equals = word.indexOf('=')
      if (equals < 1 || equals === word.length - 1) {
        throw new Failure('invalid-value', `--secret "${word}" is not NAME=FILE.`, { hint: 'spawn --help' })
      }
      return [word.slice(0, equals), read(word.slice(equals + 1)).toString('base64')]
    }),
  )
}
