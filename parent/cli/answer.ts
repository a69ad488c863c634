import type { IncomingMessage } from 'node:http'
import { LEAVING_HEADER } from '../../coordinator/contract/control.ts'
import { Failure, isFailureCode } from '../../coordinator/contract/failure.ts'
import { bytesOf } from './bytes.ts'
import { Cut } from './cut.ts'

/** The coordinator's JSON answer; its failure is thrown as ours. Throws a Cut when it breaks off or says "not ready". */
export async function readAnswer<T>(response: IncomingMessage): Promise<T> {
  if (response.statusCode !== 200) throw await failureOf(response)
  const text = await readText(response)
  try {
    const answer: T = JSON.parse(text)
    return answer
  } catch (cause) {
    throw notUnderstood(response, cause)
  }
}

/** What a refusing answer says: a Failure, or a Cut when it says to come back later. */
export async function failureOf(response: IncomingMessage): Promise<Error> {
  const text = await readText(response)
  let body: { error?: { code?: unknown; message?: unknown; hint?: unknown } } | null
  try {
    body = JSON.parse(text)
  } catch (cause) {
    return notUnderstood(response, cause)
  }
  const { code, message, hint } = body?.error ?? {}
  if (!isFailureCode(code) || typeof message !== 'string') return notUnderstood(response)
  const failure = Failure.fromShape({ code, message, ...(typeof hint === 'string' && { hint }) })
  if (code !== 'not-ready') return failure
  return new Cut(response.headers[LEAVING_HEADER] === undefined ? 'not-ready' : 'leaving', { failure })
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of bytesOf(response)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function notUnderstood(response: IncomingMessage, cause?: unknown): Failure {
  return new Failure(
    'unexpected',
    `The coordinator gave an answer that this command does not understand (HTTP ${response.statusCode ?? 0}).`,
    { hint: 'coordinator status', cause },
  )
}
