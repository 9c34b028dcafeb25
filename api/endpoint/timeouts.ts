import { duration, object } from '../../core/schema.ts'

export const timeouts = object(
  {
    connect: duration({ default: '5s', description: 'To open a connection, TLS included.' }),
    firstToken: duration({
      default: '60s',
      description: 'From sending a streamed request to the first event of the answer.',
    }),
    idle: duration({ default: '30s', description: 'Between two events of a streamed answer.' }),
    attempt: duration({ default: '600s', description: 'One whole attempt, its answer included.' }),
  },
  {
    default: {},
    description:
      'Deadlines, each on its own clock. First token and idle bound streamed answers; others are bounded by attempt and by the route’s request deadline.',
    rules: [
      {
        rule: 'duration(self.connect) > duration("0s") && duration(self.firstToken) > duration("0s") && duration(self.idle) > duration("0s") && duration(self.attempt) > duration("0s")',
        message: 'Timeouts must be longer than 0s.',
      },
      {
        rule: 'duration(self.attempt) <= duration("24h")',
        message: 'attempt must be at most 24h.',
        fieldPath: '.attempt',
      },
      {
        rule: 'duration(self.connect) <= duration(self.attempt)',
        message: 'connect must not be longer than attempt.',
        fieldPath: '.connect',
      },
      {
        rule: 'duration(self.firstToken) <= duration(self.attempt)',
        message: 'firstToken must not be longer than attempt.',
        fieldPath: '.firstToken',
      },
      {
        rule: 'duration(self.idle) <= duration(self.attempt)',
        message: 'idle must not be longer than attempt.',
        fieldPath: '.idle',
      },
    ],
  },
)
