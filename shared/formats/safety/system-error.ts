/** A full disk or too many open files: an error of the machine and no fault of the document. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'errno' in error;
}
