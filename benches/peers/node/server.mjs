// The ticket contract as a careful Node team would serve it: Socket.IO without compression, one SQLite file in WAL with
// synchronous=FULL, prepared statements, tokens checked at the handshake, facts of tickets in memory.
// BATCH=1 commits all sends of one turn of the event loop together. Listens on PORT; DATA is its folder.
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import Database from 'better-sqlite3';
import jwt from 'jsonwebtoken';
import { Server } from 'socket.io';

const { PORT, DATA, SECRET, APP_KEY, BATCH } = process.env;
const db = new Database(`${DATA}/peer.sqlite`);
db.pragma('journal_mode = WAL');
db.pragma('synchronous = FULL');
db.exec(`CREATE TABLE IF NOT EXISTS messages (
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, ticket TEXT NOT NULL, sender TEXT NOT NULL, name TEXT NOT NULL,
  text TEXT, type TEXT NOT NULL, client_id TEXT, at TEXT NOT NULL);
  CREATE INDEX IF NOT EXISTS by_ticket ON messages (ticket, seq);
  CREATE UNIQUE INDEX IF NOT EXISTS by_client ON messages (sender, client_id) WHERE client_id IS NOT NULL;`);
const insert = db.prepare(
  'INSERT INTO messages (id, ticket, sender, name, text, type, client_id, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
);
const newest = db.prepare('SELECT * FROM messages WHERE ticket = ? ORDER BY seq DESC LIMIT ?');
const total = db.prepare('SELECT COUNT(*) AS n FROM messages WHERE ticket = ?');

const tickets = new Map();
const present = new Map();
const now = () => new Date().toISOString();
const mayEnter = (ticket, user) => ticket && (ticket.created_by === user.id || ticket.assignees.has(user.id));

const shape = (row) => ({
  id: row.id, ticketId: row.ticket, senderId: row.sender, message: row.text, attachments: null,
  messageType: row.type, createdAt: row.at, updatedAt: row.at,
  sender: { id: row.sender, name: row.name, role: 'USER' }, seq: Number(row.seq),
  isEdited: false, isDeleted: false, replyToId: null, clientId: row.client_id,
});

const store = (user, ticket, { message, messageType = 'TEXT', clientId = null }) => {
  const row = { id: randomUUID(), ticket, sender: user.id, name: user.name, text: message, type: messageType, client_id: clientId, at: now() };
  row.seq = insert.run(row.id, ticket, user.id, user.name, message, messageType, clientId, row.at).lastInsertRowid;
  return row;
};

let waiting = [];
const commit = db.transaction((jobs) => jobs.map((job) => store(...job.message)));
const flush = () => {
  const jobs = waiting;
  waiting = [];
  commit(jobs).forEach((row, at) => jobs[at].done(row));
};
const save = (message, done) => {
  if (!BATCH) return done(store(...message));
  if (waiting.length === 0) setImmediate(flush);
  waiting.push({ message, done });
};

const http = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => (body += chunk));
  request.on('end', () => {
    const id = request.url.match(/^\/api\/tickets\/([^/]+)$/)?.[1];
    if (request.url === '/health') return response.end('ok');
    if (!id || request.method !== 'PUT' || request.headers['x-app-key'] !== APP_KEY) return response.writeHead(403).end();
    const facts = JSON.parse(body);
    tickets.set(id, { ...facts, assignees: new Set(facts.assignees) });
    response.writeHead(201, { 'content-type': 'application/json' }).end('{}');
  });
});
const io = new Server(http, { perMessageDeflate: false, httpCompression: false, serveClient: false });

io.use((socket, next) => {
  try {
    const claims = jwt.verify(socket.handshake.auth.token, SECRET, { algorithms: ['HS256'] });
    socket.data = { id: claims.sub, name: claims.name };
    next();
  } catch {
    next(Object.assign(new Error('Invalid token'), { data: { code: 'invalid_token' } }));
  }
});

io.on('connection', (socket) => {
  const user = socket.data;
  const joined = new Set();
  socket.emit('connected', { userId: user.id, user_id: user.id, message: 'Connected', timestamp: now() });
  const refuse = (event, ticketId, code, message, ack) => {
    socket.emit('error', { type: code, code, message, event, ticketId });
    ack?.({ success: false, error: code, message });
  };
  const leave = (ticketId) => {
    if (!joined.delete(ticketId)) return;
    socket.leave(ticketId);
    const users = present.get(ticketId);
    users.set(user.id, users.get(user.id) - 1);
    if (users.get(user.id) > 0) return;
    users.delete(user.id);
    socket.to(ticketId).emit('user_left', { userId: user.id, ticketId, timestamp: now(), userName: user.name });
  };
  socket.on('join_ticket', ({ ticketId, limit = 50 } = {}, ack) => {
    if (!mayEnter(tickets.get(ticketId), user)) return refuse('join_ticket', ticketId, 'not_found', 'Ticket not found', ack);
    if (!joined.has(ticketId)) {
      joined.add(ticketId);
      socket.join(ticketId);
      if (!present.has(ticketId)) present.set(ticketId, new Map());
      const users = present.get(ticketId);
      users.set(user.id, (users.get(user.id) ?? 0) + 1);
      if (users.get(user.id) === 1) {
        socket.to(ticketId).emit('user_joined', { userId: user.id, ticketId, timestamp: now(), userName: user.name });
      }
    }
    const rows = newest.all(ticketId, limit + 1);
    const more = rows.length > limit;
    const messages = rows.slice(0, limit).reverse().map(shape);
    socket.emit('joined_ticket', { ticketId, message: 'Joined ticket chat', timestamp: now() });
    const pagination = { limit, has_more: more, next_cursor: more ? String(messages[0].seq) : null, total: total.get(ticketId).n };
    socket.emit('messages_history', { ticketId, messages, pagination });
    ack?.({ success: true, ticketId });
  });
  socket.on('leave_ticket', ({ ticketId } = {}, ack) => {
    leave(ticketId);
    socket.emit('left_ticket', { ticketId, message: 'Left ticket chat', timestamp: now() });
    ack?.({ success: true, ticketId });
  });
  socket.on('send_message', (payload = {}, ack) => {
    const { ticketId, message } = payload;
    if (!mayEnter(tickets.get(ticketId), user)) return refuse('send_message', ticketId, 'not_found', 'Ticket not found', ack);
    if (typeof message !== 'string' || message.trim() === '' || message.length > 5000) {
      return refuse('send_message', ticketId, 'validation_failed', 'message is required', ack);
    }
    save([user, ticketId, payload], (row) => {
      const stored = shape(row);
      io.to(ticketId).emit('new_message', { message: stored, ticketId, timestamp: stored.createdAt });
      ack?.({ success: true, ticketId, message: stored });
    });
  });
  socket.on('disconnecting', () => [...joined].forEach(leave));
});
http.listen(Number(PORT), '127.0.0.1');
