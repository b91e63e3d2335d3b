import type { Socket } from 'node:net';
import { buildConnector } from 'undici';

/** Error codes of a write to a connection that the other side has closed. */
const closedByPeer = new Set(['EPIPE', 'ECONNRESET', 'ECONNABORTED']);

/** How long a failed write waits for the answer that the other side sent before closing. */
const lingerMs = 1_000;

/** Buffers of chunks that only we read: released as soon as the socket is done with them. */
const releasable = new WeakSet<ArrayBufferLike>();

/**
 * Marks a chunk of a request body as ours alone: its memory is released once it has been sent, and
 * the chunk is empty from then on. Without this, sent chunks pile up until the garbage collector
 * runs, 50 MB and more. A chunk that shares its memory with others is left alone.
 */
export function releaseAfterSending(chunk: Uint8Array): void {
  const { buffer } = chunk;
  if (buffer instanceof ArrayBuffer && chunk.byteLength === buffer.byteLength) {
    releasable.add(buffer);
  }
}

/**
 * undici's connector, with two changes to how a socket completes a write.
 *
 * An API that refuses an upload early (413, 401) answers and closes while we are still sending. Our
 * next write then fails with EPIPE or ECONNRESET, and Node destroys the socket with the answer
 * unread in its receive buffer. Here such a failure is delayed until the read side has ended, so
 * that the answer is read.
 *
 * Second, the memory of chunks marked by `releaseAfterSending` is released at the one moment when
 * the operating system certainly no longer needs it.
 */
export function connector(options: buildConnector.BuildOptions = {}): buildConnector.connector {
  const connect = buildConnector(options);
  return (target, callback) =>
    connect(target, (...result) => {
      // On failure undici calls back with the error alone, whatever its types say.
      if (result[1]) delayWriteErrors(result[1]);
      callback(...result);
    });
}

function delayWriteErrors(socket: Socket): void {
  const write = socket._write.bind(socket);
  socket._write = (chunk, encoding, done) =>
    write(chunk, encoding, completion(socket, [chunk], done));
  const writev = socket._writev?.bind(socket);
  if (writev === undefined) return;
  socket._writev = (items, done) =>
    writev(
      items,
      completion(
        socket,
        items.map(({ chunk }) => chunk),
        done,
      ),
    );
}

type Done = (error?: Error | null) => void;

function completion(socket: Socket, chunks: unknown[], done: Done): Done {
  return (error) => {
    if (!error) {
      for (const chunk of chunks) release(chunk);
      done();
    } else if (!socket.destroyed && 'code' in error && closedByPeer.has(String(error.code))) {
      const finish = (): void => {
        clearTimeout(timer);
        socket.off('close', finish);
        done(error);
      };
      const timer = setTimeout(finish, lingerMs).unref();
      socket.once('close', finish);
    } else {
      done(error);
    }
  };
}

function release(chunk: unknown): void {
  if (!(chunk instanceof Uint8Array)) return;
  const { buffer } = chunk;
  // transfer() empties the old buffer and frees its memory without waiting for a collection.
  if (buffer instanceof ArrayBuffer && releasable.delete(buffer)) buffer.transfer(0);
}
