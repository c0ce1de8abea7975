// A mail server that keeps what it gets.
import { createServer } from "node:net";

/** The text of a letter: its first text part. */
function textOf(raw) {
  const part = /Content-Type: text\/plain[\s\S]*?\r\n\r\n([\s\S]*?)(\r\n--|$)/i.exec(raw);
  const head = part ? part[0].slice(0, part[0].indexOf("\r\n\r\n")) : "";
  const body = part?.[1] ?? raw;
  if (/base64/i.test(head)) return Buffer.from(body, "base64").toString("utf8");
  const plain = body.replace(/=\r\n/g, "");
  return plain.replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
}

export class Post {
  letters = [];

  static open() {
    const post = new Post();
    post.server = createServer((socket) => post.serve(socket));
    return new Promise((resolve) => {
      post.server.listen(0, "127.0.0.1", () => {
        post.url = `smtp://127.0.0.1:${post.server.address().port}`;
        resolve(post);
      });
    });
  }

  serve(socket) {
    let [data, rest, letter] = [false, "", ""];
    socket.setEncoding("utf8").on("error", () => undefined);
    socket.write("220 here\r\n");
    socket.on("data", (chunk) => {
      rest += chunk;
      for (let end = rest.indexOf("\r\n"); end >= 0; end = rest.indexOf("\r\n")) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        if (data && line === ".") {
          this.letters.push(textOf(letter));
          [data, letter] = [false, ""];
          socket.write("250 taken\r\n");
        } else if (data) letter += `${line.replace(/^\.\./, ".")}\r\n`;
        else if (/^DATA/i.test(line)) {
          data = true;
          socket.write("354 go on\r\n");
        } else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
        else socket.write(/^EHLO/i.test(line) ? "250-here\r\n250 8BITMIME\r\n" : "250 well\r\n");
      }
    });
  }

  /** The address in a letter that leads to this path. */
  link(path) {
    const found = this.letters.flatMap((text) => text.match(/https?:\/\/\S+/g) ?? []);
    const address = found.find((one) => new URL(one).pathname.startsWith(path));
    return address && new URL(address).pathname;
  }

  close() {
    this.server.close();
  }
}
