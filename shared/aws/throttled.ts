/**
 * Codes by which AWS says "too many requests at the moment". Those of the SDK's own retries
 * (https://github.com/smithy-lang/smithy-typescript, service-error-classification), and KMS's, which S3 passes on.
 */
const throttlingCodes = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'KMS.ThrottlingException',
  'KmsThrottled',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);

/**
 * Whether AWS refused a request because there are too many at the moment, and the SDK's own retries did not help.
 * That says nothing about the document, and the request may have taken effect all the same.
 */
export function isThrottled(error: unknown): boolean {
  if (!(error instanceof Error) || !('$metadata' in error)) return false;
  const { httpStatusCode } = error.$metadata as { httpStatusCode?: number };
  return httpStatusCode === 429 || throttlingCodes.has(error.name);
}
