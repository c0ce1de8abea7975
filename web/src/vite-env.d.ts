/// <reference types="vite/client" />

declare module "virtual:emoji/*" {
  const rows: unknown;
  export default rows;
}
