// Serves this folder on http://localhost:8080.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';

const files = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/client.js': ['node_modules/socket.io-client/dist/socket.io.esm.min.js', 'text/javascript'],
};
createServer(async (request, response) => {
  const found = files[request.url.split('?')[0]];
  if (!found) return response.writeHead(404).end();
  response.setHeader('content-type', found[1]);
  response.end(await readFile(new URL(found[0], import.meta.url)));
}).listen(8080, () => console.log('http://localhost:8080'));
