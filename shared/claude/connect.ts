import type { Socket } from 'node:net';
import { buildConnector } from 'undici';

/** Error codes of a write to a connection that the other side has closed. */
const closedByPeer = new Set(['EPIPE', 'ECONNRESET', 'ECONNABORTED']);

/** How long a failed write waits for what the other side said before it closed. */
const lingerMs = 1_000;

/** Memory of sent chunks that nobody else reads: given back as soon as the socket is done with it. */
const releasable = new WeakSet<ArrayBufferLike>();

/**
 * Marks a chunk of a request body as ours alone: its memory goes back when it has been sent, and the
 * chunk is empty from then on. Without this, sent chunks pile up until the garbage collector sees
 * them, 50 MB and more. A chunk that shares its memory with others is left alone.
 */
export function releaseAfterSending(chunk: Uint8Array): void {
  const { buffer } = chunk;
  if (buffer instanceof ArrayBuffer && chunk.byteLength === buffer.byteLength) {
    releasable.add(buffer);
  }
}

/**
 * undici's connector, with two differences in how a socket ends a write.
 *
 * An API that refuses an upload early (413, 401) answers and closes while we are still sending. Our
 * next write then fails with EPIPE or ECONNRESET, and Node throws the socket away with the answer
 * unread in its receive buffer. Here such a failure is held back until the reading side has come to
 * its end, so that the answer is seen.
 *
 * And the memory of chunks marked by `releaseAfterSending` is given back, at the one moment when it
 * is certain that the operating system no longer needs it.
 */
export function connector(options: buildConnector.BuildOptions = {}): buildConnector.connector {
  const connect = buildConnector(options);
  return (target, callback) =>
    connect(target, (...result) => {
      // On failure undici calls back with the error alone, whatever its types say.
      if (result[1]) settleWrites(result[1]);
      callback(...result);
    });
}

function settleWrites(socket: Socket): void {
  const write = socket._write.bind(socket);
  socket._write = (chunk, encoding, done) => write(chunk, encoding, settled(socket, [chunk], done));
  const writev = socket._writev?.bind(socket);
  if (writev === undefined) return;
  socket._writev = (items, done) =>
    writev(
      items,
      settled(
        socket,
        items.map(({ chunk }) => chunk),
        done,
      ),
    );
}

type Done = (error?: Error | null) => void;

function settled(socket: Socket, chunks: unknown[], done: Done): Done {
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
