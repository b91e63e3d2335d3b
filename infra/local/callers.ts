import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Credentials in the form that the AWS SDK reads from a function's environment. */
export interface FunctionCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken: string;
}

/**
 * Tells the functions' requests from all others. Each function has credentials of its own, made at the start
 * of the host and kept in memory: only the function's processes have them, in their environment, as on Lambda.
 */
export class Callers {
  readonly #names = new Map<string, string>();

  /** Makes the credentials of a function. Its name may not contain a slash (no function's name does). */
  issue(functionName: string): FunctionCredentials {
    const sessionToken = randomBytes(32).toString('base64url');
    this.#names.set(sessionToken, functionName);
    return { accessKeyId: `local-${functionName}`, secretAccessKey: 'local', sessionToken };
  }

  /** The function that sent a request, or undefined when it was something else on this machine. */
  of(request: Pick<IncomingMessage, 'headers'>): string | undefined {
    const token = request.headers['x-amz-security-token'];
    return typeof token === 'string' ? this.#names.get(token) : undefined;
  }
}
