/** Whether the machine is at fault and not the document: a full disk, too many open files. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && 'errno' in error;
}
