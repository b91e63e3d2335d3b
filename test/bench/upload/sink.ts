import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A Files API that discards all bytes: prints its port, answers uploads with metadata. */
const server = createServer({ requestTimeout: 0 }, (request, response) => {
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end(
      JSON.stringify({
        id: 'file_bench',
        type: 'file',
        filename: 'bench.bin',
        mime_type: 'application/octet-stream',
        size_bytes: bytes,
        created_at: '2026-01-01T00:00:00Z',
        downloadable: false,
      }),
    );
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
// Our input closes when the parent ends, however it ends.
process.stdin.resume().on('end', () => process.exit());
