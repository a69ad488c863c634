import { request } from 'node:http'
import fastify from 'fastify'
import { expect, test } from 'vitest'
import { LEAVING_HEADER } from '../contract/control.ts'
import { sendStream } from './stream.ts'

type Heard = { text: string; trailer: string | undefined; complete: boolean }

/** What a client hears of a stream. `heard` is called with what came so far. */
async function hear(source: AsyncIterable<string>, leaving: AbortSignal): Promise<Heard> {
  await using server = fastify()
  server.get('/', async (_request, reply) => {
    await sendStream(reply, {}, source, { leaving, place: () => 'here' })
  })
  const address = new URL(await server.listen({ host: '127.0.0.1', port: 0 }))
  return await new Promise<Heard>((resolve, reject) => {
    const asked = request(address, (response) => {
      let text = ''
      const done = (): void =>
        resolve({ text, trailer: response.trailers[LEAVING_HEADER], complete: response.complete })
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', done).on('error', done)
    })
    asked.on('error', reject).end()
  })
}

test('a stream that is followed ends with where to go on when the coordinator leaves', async () => {
  const leaving = new AbortController()
  const source = async function* (): AsyncGenerator<string> {
    yield 'a'
    leaving.abort()
    yield 'b'
  }
  expect(await hear(source(), leaving.signal)).toEqual({ text: 'ab', trailer: 'here', complete: true })
})

test('one that is at its end has no such word', async () => {
  const source = async function* (): AsyncGenerator<string> {
    yield 'a'
  }
  expect(await hear(source(), new AbortController().signal)).toEqual({ text: 'a', trailer: undefined, complete: true })
})

test('one that fails is cut off, also while the coordinator leaves', async () => {
  const source = async function* (): AsyncGenerator<string> {
    yield 'a'
    throw new Error('the source is broken')
  }
  expect(await hear(source(), AbortSignal.abort())).toMatchObject({ trailer: undefined, complete: false })
})
