// A real OpenID provider with a few accounts: `oidc-issuer.mjs CLIENTS ACCOUNTS`, both JSON. Prints its address as one
// line and ends with its input. Whoever types an account's name into its form is that person.
import { createServer } from "node:http";
import Provider from "oidc-provider";

const [clients, accounts] = process.argv.slice(2).map((text) => JSON.parse(text));
console.warn = console.info = () => {};
let serve = (_, response) => response.end();
const server = createServer((request, response) => serve(request, response));
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients,
    claims: {
      openid: ["sub"],
      email: ["email", "email_verified"],
      profile: ["name", "preferred_username", "roles"],
    },
    cookies: { keys: ["only for tests"] },
    features: { devInteractions: { enabled: true } },
    // Applications that make the address by themselves bring no challenge.
    pkce: { required: () => false },
    findAccount: (_, id) =>
      accounts[id] ? { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) } : undefined,
  });
  provider.on("server_error", (_, error) => console.error(error));
  serve = provider.callback();
  console.log(issuer);
});
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
