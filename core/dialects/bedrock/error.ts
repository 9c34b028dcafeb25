import { awsException } from '../../aws-event-stream.ts'
import type { Failure } from '../../errors.ts'

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_Errors */
const names: ReadonlyMap<number, string> = new Map([
  [401, 'AccessDeniedException'],
  [403, 'AccessDeniedException'],
  [404, 'ResourceNotFoundException'],
  [408, 'ModelTimeoutException'],
  [424, 'ModelErrorException'],
  [429, 'ThrottlingException'],
  [503, 'ServiceUnavailableException'],
  [504, 'ModelTimeoutException'],
])

/** AWS's name for a failure, which its SDKs make the class of an error of. */
function exceptionOf({ entry: { status } }: Failure): string {
  return names.get(status) ?? (status < 500 ? 'ValidationException' : 'InternalServerException')
}

/** The same in a stream, where there are fewer: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html */
export function streamExceptionOf({ entry: { status } }: Failure): string {
  if (status === 429) return 'throttlingException'
  if (status < 500) return 'validationException'
  // What a target did is an error in streaming; what we did is ours.
  return status === 503
    ? 'serviceUnavailableException'
    : status === 500
      ? 'internalServerException'
      : 'modelStreamErrorException'
}

/** Errors as Bedrock says them, whole and in a stream. */
export const bedrockErrors = {
  error: (failure: Failure, words: string, requestId: string) => ({
    body: JSON.stringify({ message: words }),
    headers: ['x-amzn-errortype', exceptionOf(failure), 'x-amzn-requestid', requestId],
  }),
  errorEvent: (failure: Failure, words: string) =>
    awsException(streamExceptionOf(failure), JSON.stringify({ message: words })),
} as const
