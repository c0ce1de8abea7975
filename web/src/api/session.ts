// The signed-in session of this browser. The keys are those that Rocket.Chat's desktop app reads.

export interface Session {
  userId: string;
  token: string;
}

const TOKEN = "Meteor.loginToken";
const USER = "Meteor.userId";
const listeners = new Set<() => void>();
let current: Session | null = read();
remember(current);

function read(): Session | null {
  try {
    const [token, userId] = [localStorage.getItem(TOKEN), localStorage.getItem(USER)];
    return token && userId ? { token, userId } : null;
  } catch {
    return null;
  }
}

/** Pictures and films are fetched by the browser itself, which can send nothing but cookies. */
function remember(session: Session | null): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  for (const [name, value] of [
    ["rc_uid", session?.userId],
    ["rc_token", session?.token],
  ] as const) {
    for (const path of ["/file-upload", "/avatar", "/data-export"]) {
      const age = value ? 31_536_000 : 0;
      document.cookie = `${name}=${value ?? ""}; path=${path}; max-age=${age}; SameSite=Strict${secure}`;
    }
  }
}

function tell(next: Session | null): void {
  current = next;
  remember(next);
  for (const listener of listeners) listener();
}

export const session = {
  get: (): Session | null => current,
  set(next: Session): void {
    // Other tabs listen for the token: whose it is must stand there by then.
    localStorage.setItem(USER, next.userId);
    localStorage.setItem(TOKEN, next.token);
    tell(next);
  },
  clear(): void {
    localStorage.removeItem(TOKEN);
    localStorage.removeItem(USER);
    tell(null);
  },
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

// Signing out in one tab signs out all of them, and so does signing in as somebody else.
addEventListener("storage", (event) => {
  if (event.key === TOKEN || event.key === null) tell(read());
});
