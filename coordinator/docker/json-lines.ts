import type { Readable } from 'node:stream'

/** The values of a stream of JSON texts, one a line, as the engine tells events and progress. */
export async function* jsonLines(stream: Readable): AsyncGenerator {
  let pending = ''
  for await (const chunk of stream) {
    const lines = (pending + String(chunk)).split('\n')
    pending = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line)
  }
  if (pending.trim() !== '') yield JSON.parse(pending)
}
