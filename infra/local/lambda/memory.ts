import { readFileSync } from 'node:fs';

const pageBytes = 4096;

/**
 * Memory of a process and all its descendants in bytes, as /proc reports it: the resident pages of the process,
 * plus those of its descendants (a browser, say) that they do not share.
 * @returns undefined where there is no /proc; then only V8's heap limit applies
 */
export function residentBytes(pid: number): number | undefined {
  const own = pages(pid);
  if (own === undefined) return undefined;
  let total = own.resident;
  const queue = children(pid);
  for (let child = queue.pop(); child !== undefined; child = queue.pop()) {
    const found = pages(child);
    if (found) total += found.resident - found.shared;
    queue.push(...children(child));
  }
  return total * pageBytes;
}

function pages(pid: number): { resident: number; shared: number } | undefined {
  try {
    const [, resident, shared] = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ');
    return { resident: Number(resident), shared: Number(shared) };
  } catch {
    return undefined;
  }
}

function children(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
