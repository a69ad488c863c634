import { ControlStripper } from '../text/strip-controls.ts'
import { AnswerFilter } from './answer-filter.ts'
import { probe, PROBE_BEGIN, PROBE_INTERVAL, PROBE_QUESTION, type ProbeEvent } from './probe.ts'

export type TerminalWatch = {
  /** What the terminal sent, without its answers to us. */
  input: (chunk: Buffer) => Buffer
  /** Tells what is being written to the terminal: no question may be put inside a control sequence. */
  output: (chunk: Buffer) => void
  stop: () => void
}

export type WatchPorts = {
  /** Writes to the terminal. */
  ask: (question: string) => void
  /** Passes on what was kept back in case it was the beginning of an answer. */
  late: (input: Buffer) => void
  /** The terminal is gone. */
  leave: () => void
  /** Milliseconds; PROBE_INTERVAL unless a test is in a hurry. */
  interval?: number
}

/** An ESC that a person typed is not kept longer than this. Milliseconds. */
const KEPT_FOR = 30

/** Asks the terminal whether it is still there, for as long as it cares to answer (see probe.ts). */
export function watchTerminal(ports: WatchPorts): TerminalWatch {
  const filter = new AnswerFilter()
  const written = new ControlStripper()
  let state = PROBE_BEGIN
  let flush: NodeJS.Timeout | undefined
  const happen = (event: ProbeEvent): void => {
    const next = probe(state, event)
    state = next.state
    if (state.phase === 'off') clearInterval(timer)
    if (next.act === 'ask') ports.ask(PROBE_QUESTION)
    if (next.act === 'leave') ports.leave()
  }
  const timer = setInterval(() => {
    if (written.between) happen('tick')
  }, ports.interval ?? PROBE_INTERVAL)
  ports.ask(PROBE_QUESTION)
  return {
    input: (chunk) => {
      clearTimeout(flush)
      const { input, answers } = filter.push(chunk)
      if (answers > 0) happen('answer')
      if (input.length > 0) happen('input')
      if (filter.keeping) flush = setTimeout(() => ports.late(filter.flush()), KEPT_FOR)
      return input
    },
    output: (chunk) => void written.push(chunk),
    stop: () => {
      clearInterval(timer)
      clearTimeout(flush)
    },
  }
}
