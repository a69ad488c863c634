/** Where a fault is armed in a parent, and where the names of the boundaries are written while that file is there. */
export const FAULT_FILE = '/run/hal9000/fault'
export const TRACE_FILE = '/run/hal9000/boundaries'

/** Before the call, once it is on its way, or when its answer is there and nobody has read it. */
export const WHENS = ['before', 'inside', 'after'] as const
export type When = (typeof WHENS)[number]

/** What happens to the coordinator where: KILL ends it, STOP stalls it. */
export type Fault = { at: string; when: When; signal: 'SIGKILL' | 'SIGSTOP' }
