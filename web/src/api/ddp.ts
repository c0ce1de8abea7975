// DDP over one WebSocket: methods, streams, and coming back by itself.

import { proving } from "./challenge";
import { session } from "./session";

export type Connection = "offline" | "connecting" | "online";

type Handler = (args: unknown[], key: string) => void;

interface Stream {
  id: string;
  name: string;
  key: string;
  handler: Handler;
  extra?: unknown;
}

interface Pending {
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

export class DdpError extends Error {
  constructor(
    readonly code: string,
    text: string,
    readonly details?: unknown,
  ) {
    super(text);
  }
}

/** Silence after which the server is asked for a sign of life, and after which the socket counts as dead (ms). */
const ASK = 20_000;
const DEAD = 35_000;
/** How long the server may take to listen before the connection counts as online all the same (ms). */
const LISTENING = 4_000;
/** Calls another method together with a proof of who is there. */
const PROVED = "callWithTwoFactorRequired";
/** Longest pause between two attempts to connect (ms). */
const PAUSE = 15_000;

export class Ddp {
  state: Connection = "offline";
  private socket: WebSocket | null = null;
  private next = 1;
  private attempts = 0;
  private heard = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setInterval> | undefined;
  private readonly pending = new Map<string, Pending>();
  private readonly streams = new Map<string, Stream>();
  private wanted = false;
  /** Signed in on this connection: streams are asked for as they come. */
  private listening = false;
  private unready = new Set<string>();
  private allReady: () => void = () => undefined;

  constructor(
    private readonly url: string,
    /** Told of each change of state; `online` means signed in and listening again. */
    private readonly changed: (state: Connection) => void,
    /** Told when the server refuses the session. */
    private readonly refused: () => void = () => undefined,
  ) {
    addEventListener("online", () => this.again());
    addEventListener("offline", () => this.socket?.close());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.again();
    });
  }

  start(): void {
    this.wanted = true;
    this.open();
  }

  stop(): void {
    this.wanted = false;
    this.streams.clear();
    clearTimeout(this.timer);
    this.socket?.close();
  }

  /** Connects at once if it waits for its next attempt; otherwise asks whether the socket still lives. */
  again(): void {
    if (!this.wanted) return;
    if (!this.socket) {
      clearTimeout(this.timer);
      this.attempts = 0;
      this.open();
    } else if (this.state === "online") this.send({ msg: "ping" });
  }

  /** Calls a method. Where the server asks first who is there, the person is asked, and it is called again. */
  call<T = unknown>(method: string, ...params: unknown[]): Promise<T> {
    return proving((proof) => {
      if (this.state !== "online") return Promise.reject(new DdpError("offline", "not connected"));
      return proof
        ? this.request<T>(PROVED, [proof.code, proof.method, method, ...params])
        : this.request<T>(method, params);
    });
  }

  /** Listens to `stream-NAME` under a key, now and after each reconnection. Returns what ends it. */
  listen(name: string, key: string, handler: Handler, extra?: unknown): () => void {
    const id = String(this.next++);
    const stream = { id, name, key, handler, extra };
    this.streams.set(id, stream);
    // Also while the others are still being answered: nobody would ask for this one later.
    if (this.listening) this.subscribe(stream);
    return () => {
      this.streams.delete(id);
      if (this.listening) this.send({ msg: "unsub", id });
    };
  }

  /** Changes what a stream that is listened to is asked with: `now` on this connection, `next` on each further one. */
  amend(name: string, key: string, now: unknown, next: unknown): void {
    for (const stream of this.streams.values()) {
      if (stream.name !== name || stream.key !== key) continue;
      stream.extra = next;
      if (this.listening) this.subscribe({ ...stream, id: String(this.next++), extra: now });
      return;
    }
  }

  private request<T>(method: string, params: unknown[]): Promise<T> {
    const id = String(this.next++);
    return new Promise<T>((resolve, reject) => {
      this.pending.set(id, { resolve: resolve as Pending["resolve"], reject });
      this.send({ msg: "method", id, method, params });
    });
  }

  private open(): void {
    if (this.socket || !session.get()) return;
    this.set("connecting");
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onopen = () => this.send({ msg: "connect", version: "1", support: ["1"] });
    socket.onmessage = (event) => this.receive(String(event.data));
    socket.onclose = () => this.closed(socket);
    this.heard = Date.now();
    clearInterval(this.watch);
    this.watch = setInterval(() => this.look(socket), 5_000);
  }

  private look(socket: WebSocket): void {
    const silent = Date.now() - this.heard;
    if (silent > DEAD) {
      this.closed(socket);
      socket.close();
    } else if (silent > ASK) this.send({ msg: "ping" });
  }

  private closed(socket: WebSocket): void {
    if (this.socket !== socket) return;
    this.socket = null;
    this.listening = false;
    clearInterval(this.watch);
    for (const pending of this.pending.values()) pending.reject(new DdpError("offline", "the connection ended"));
    this.pending.clear();
    this.set("offline");
    if (!this.wanted) return;
    const pause = Math.min(PAUSE, 500 * 2 ** this.attempts++) * (0.5 + Math.random() / 2);
    this.timer = setTimeout(() => this.open(), pause);
  }

  private set(state: Connection): void {
    this.state = state;
    this.changed(state);
  }

  private send(frame: unknown): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  private subscribe({ id, name, key, extra }: Stream): void {
    this.send({ msg: "sub", id, name: `stream-${name}`, params: [key, extra ?? { useCollection: false, args: [] }] });
  }

  private async signIn(): Promise<void> {
    const own = session.get();
    if (!own) return;
    await this.request("login", [{ resume: own.token }]);
    this.attempts = 0;
    await this.subscribeAll();
    this.set("online");
  }

  /** Subscribes every stream, and waits until the server listens: what is read afterwards leaves no gap. */
  private subscribeAll(): Promise<void> {
    this.listening = true;
    const all = [...this.streams.values()];
    this.unready = new Set(all.map(({ id }) => id));
    for (const stream of all) this.subscribe(stream);
    if (all.length === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, LISTENING);
      this.allReady = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private answered(ids: readonly string[]): void {
    for (const id of ids) this.unready.delete(id);
    if (this.unready.size === 0) this.allReady();
  }

  private receive(text: string): void {
    this.heard = Date.now();
    const frame = JSON.parse(text) as Frame;
    switch (frame.msg) {
      case "connected":
        this.signIn().catch((error: unknown) => {
          if (error instanceof DdpError && error.code !== "offline") this.refused();
          this.socket?.close();
        });
        break;
      case "ping":
        this.send(frame.id ? { msg: "pong", id: frame.id } : { msg: "pong" });
        break;
      case "result":
        this.answer(frame);
        break;
      case "changed":
        this.event(frame);
        break;
      case "ready":
        this.answered(frame.subs ?? []);
        break;
      case "nosub":
        if (frame.id) this.answered([frame.id]);
        break;
    }
  }

  private answer(frame: Frame): void {
    const pending = this.pending.get(frame.id ?? "");
    if (!pending) return;
    this.pending.delete(frame.id ?? "");
    if (frame.error)
      pending.reject(new DdpError(String(frame.error.error), frame.error.reason ?? "", frame.error.details));
    else pending.resolve(frame.result);
  }

  private event(frame: Frame): void {
    const name = frame.collection?.replace(/^stream-/, "");
    const key = frame.fields?.eventName;
    if (!key) return;
    for (const stream of this.streams.values()) {
      if (stream.name === name && (stream.key === key || stream.key === ""))
        stream.handler(frame.fields?.args ?? [], key);
    }
  }
}

interface Frame {
  msg?: string;
  id?: string;
  subs?: string[];
  result?: unknown;
  error?: { error: string | number; reason?: string; details?: unknown };
  collection?: string;
  fields?: { eventName?: string; args?: unknown[] };
}
