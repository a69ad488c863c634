import { z } from 'zod'
import { Failure } from '../contract/failure.ts'
import { IMAGE_LABEL } from '../contract/labels.ts'

const Words = z.array(z.string()).min(1)

/**
 * The command that an image brings along, out of its labels; undefined when it brings none. Fails with `invalid-value` when
 * the label is malformed: a shell in the agent's place would be a surprise.
 */
export function agentOf(labels: Record<string, string>, image: string): string[] | undefined {
  const label = labels[IMAGE_LABEL.agent]
  if (label === undefined) return undefined
  const words = Words.safeParse(parsed(label))
  if (words.success) return words.data
  const fact = `The label ${IMAGE_LABEL.agent} of image "${image}" is not a JSON array of words.`
  throw new Failure('invalid-value', fact, { hint: 'give a command after "--", or build the image with another label' })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
