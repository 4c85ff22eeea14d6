import { ApiError, Client } from "./index.js";

declare const process: { env: Record<string, string> };
const api = new Client({ key: process.env.API_KEY, url: process.env.SERVER });

await api.send("PUT", "/api/v1/accounts/{account_id}", {
  params: { account_id: "acme" },
  body: { name: "Acme Ltd", segment: "smb" },
});
for await (const account of api.items("GET", "/api/v1/accounts", { query: { segment: "smb", limit: 500 } })) {
  console.log(account.account_id, account.band);
}
try {
  await api.send("GET", "/api/v1/accounts/{account_id}/health", { params: { account_id: "unknown-account" } });
} catch (error) {
  if (!(error instanceof ApiError) || error.code !== "not_found") throw error;
  console.log(error.code, error.detail);
}
