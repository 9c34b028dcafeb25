/** What a target may do to an answer, and what is to come of it. */
export interface Scenario {
  /** For people. */
  readonly what: string
  /** As `x-mock-fault` has it; `refused`: nobody listens. */
  readonly fault: string
  /**
   * `failure`: another target is to give a whole answer, and without one the caller gets an error. `none`: it is slow or odd, but whole.
   * `final`: nobody else is to be asked. `unseen`: most APIs number nothing, and it passes; where it shows, it is a failure.
   */
  readonly is: 'failure' | 'none' | 'final' | 'unseen'
  /** The fault for answers that are not streamed, where those are too short for the other. */
  readonly whole?: string
  /** Where it may not strike, or only after the end of the answer: the whole answer is right as well. */
  readonly spares?: 'streams' | 'wholes'
}

const failure = (what: string, fault: string, rest: Partial<Scenario> = {}): Scenario => {
  return { what, fault, is: 'failure', ...rest }
}

export const scenarios: readonly Scenario[] = [
  failure('nobody listens', 'refused'),
  failure('reset before the headers', 'reset'),
  failure('closed before the headers', 'hang-up'),
  failure('silence before the headers', 'stall-headers'),
  failure('silence after the headers', 'stall-body,after=0'),
  failure('stall after the first event', 'stall-body,after=1'),
  failure('stall in the middle', 'stall-body,after=6'),
  failure('stall late', 'stall-body,after=12'),
  failure('cut after one byte', 'cut,bytes=1'),
  failure('cut within the first event', 'cut,bytes=40'),
  failure('reset within the first event', 'cut,bytes=40,how=reset'),
  failure('cut after some events', 'cut,bytes=900', { whole: 'cut,bytes=200' }),
  failure('cut in the middle', 'cut,bytes=1500', { whole: 'cut,bytes=250' }),
  failure('reset in the middle', 'cut,bytes=1500,how=reset', { whole: 'cut,bytes=250,how=reset' }),
  failure('end of file at once', 'truncate,after=0'),
  failure('end of file after the first event', 'truncate,after=1'),
  failure('end of file early', 'truncate,after=4'),
  failure('end of file in the middle', 'truncate,after=7'),
  failure('end of file late', 'truncate,after=10'),
  failure('a finish reason that never comes', 'no-finish', { spares: 'wholes' }),
  failure('Content-Length too long', 'content-length=100', { spares: 'streams' }),
  failure('Content-Length too short', 'content-length=-20', { spares: 'streams' }),
  failure('status 500', 'status=500'),
  failure('status 502', 'status=502'),
  failure('status 503', 'status=503'),
  failure('status 504', 'status=504'),
  failure('status 529, overloaded', 'status=529'),
  failure('status 408', 'status=408'),
  failure('status 409', 'status=409'),
  failure('429 without a time', 'rate-limit=none'),
  failure('429 with seconds', 'rate-limit=seconds,wait=30s'),
  failure('429 with a date', 'rate-limit=date,wait=30s'),
  failure('a quota that is used up', 'quota'),
  failure('a prompt too long for the model', 'context-length'),
  failure('an HTML page, 502', 'html'),
  failure('an HTML page, 200', 'html,status=200'),
  failure('200 with an error body', 'error-200'),
  failure('error as the first event', 'error-first'),
  failure('error as the first event, named', 'error-first,form=event'),
  failure('error early in the stream', 'error-middle,after=4'),
  failure('error in the middle', 'error-middle,after=8'),
  failure('error in the middle, named', 'error-middle,after=8,form=event'),
  failure('a first event that is no JSON', 'malformed,after=0'),
  failure('an event in the middle that is no JSON', 'malformed,after=8'),
  failure('text/plain', 'content-type=text/plain'),
  failure('text/html', 'content-type=text/html'),
  failure('a compression that was not asked for', 'delay=0,header=content-encoding:gzip'),
  failure('an answer that says nothing', 'empty'),
  { what: 'a slow trickle', fault: 'trickle,bytes=90,every=1', is: 'none' },
  { what: 'late headers', fault: 'delay=60', is: 'none' },
  { what: 'no mark of the end after the finish', fault: 'no-done', is: 'none' },
  { what: 'one event twice', fault: 'duplicate,after=6', is: 'unseen' },
  { what: 'two events in the wrong order', fault: 'swap,after=6', is: 'unseen' },
  { what: 'a bad request', fault: 'status=400', is: 'final' },
  { what: 'refused content', fault: 'content-refused', is: 'final' },
]
