import type { Context } from '../context.ts'
import { write } from '../write.ts'

/** Asks on the terminal; only "y" or "yes" is a yes, an end of input is a no. */
export async function confirm(context: Context, question: string): Promise<boolean> {
  await write(context.stderr, `${question} [y/N] `)
  const answer = await line(context.stdin)
  return /^y(es)?$/i.test(answer.trim())
}

function line(input: Context['stdin']): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const done = (): void => {
      input.off('data', take).off('end', done).off('error', done)
      input.pause()
      resolve(text)
    }
    const take = (chunk: Buffer): void => {
      text += chunk.toString('utf8')
      if (text.includes('\n')) done()
    }
    input.on('data', take).on('end', done).on('error', done)
  })
}
