import type { FunctionCredentials } from '../callers.ts';
import { localRegion } from '../credentials.ts';
import type { FunctionResource } from '../template/resources.ts';
import type { Endpoints } from './services.ts';

/**
 * A function's environment: what Lambda sets, what the template sets, and where the local services are.
 * @param credentials its own, which tell its requests from all others
 * @param replacements replaces variables that the template sets; it adds none
 */
export function environmentOf(
  resource: FunctionResource,
  endpoints: Endpoints,
  replacements: Record<string, string>,
  path: string | undefined,
  credentials: FunctionCredentials,
): Record<string, string> {
  const replaced = Object.entries(replacements).filter(([name]) => name in resource.environment);
  return {
    ...(path === undefined ? {} : { PATH: path }),
    LANG: 'en_US.UTF-8',
    TZ: 'UTC',
    ...resource.environment,
    ...Object.fromEntries(replaced),
    _HANDLER: resource.handler,
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_FUNCTION_NAME: resource.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(resource.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${resource.name}`,
    LAMBDA_TASK_ROOT: resource.taskRoot,
    AWS_REGION: localRegion,
    AWS_DEFAULT_REGION: localRegion,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_ENDPOINT_URL_S3: endpoints.s3,
    AWS_ENDPOINT_URL_SQS: endpoints.sqs,
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoints.secretsManager,
    AWS_ENDPOINT_URL_LAMBDA: endpoints.lambda,
    AWS_ENDPOINT_URL_DYNAMODB: endpoints.dynamodb,
    // The user's own AWS profiles must not reach a function.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
  };
}
