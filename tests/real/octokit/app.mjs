// Drives the emulator with an unmodified Octokit, as an App would drive github.com.
//
// Environment: BASE (address of the emulator's API), APP_ID, PRIVATE_KEY, WEBHOOK_SECRET, REPO (owner/name), SHA (a
// commit there). Node resolves the packages from NODE_MODULES, a folder with this file's package.json installed.
// Listens for deliveries itself. Prints one JSON document with what it saw; any failure exits 1.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const { BASE, APP_ID, PRIVATE_KEY, WEBHOOK_SECRET, REPO, SHA, NODE_MODULES } = process.env;
const require = createRequire(pathToFileURL(`${NODE_MODULES}/index.js`));
// The packages are ES modules with an "exports" map: the folder is named, then its entry.
const load = async (name) => {
  const manifest = require(`${NODE_MODULES}/${name}/package.json`);
  let entry = manifest.exports?.["."] ?? manifest.exports ?? manifest.module ?? manifest.main;
  while (typeof entry === "object") entry = entry.node ?? entry.import ?? entry.default;
  return import(pathToFileURL(`${NODE_MODULES}/${name}/${entry}`));
};
const { App } = await load("@octokit/app");
const { createAppAuth } = await load("@octokit/auth-app");
const { Octokit } = await load("@octokit/core");
const { Webhooks } = await load("@octokit/webhooks");

const [owner, repo] = REPO.split("/");
const app = new App({
  appId: APP_ID,
  privateKey: PRIVATE_KEY,
  webhooks: { secret: WEBHOOK_SECRET },
  Octokit: Octokit.defaults({ baseUrl: BASE }),
});

const verifier = new Webhooks({ secret: WEBHOOK_SECRET });
const received = [];
const waiting = [];
const server = createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", async () => {
    const body = Buffer.concat(chunks).toString("utf8");
    const good = await verifier.verify(body, request.headers["x-hub-signature-256"]);
    const bad = await verifier.verify(`${body} `, request.headers["x-hub-signature-256"]);
    received.push({ event: request.headers["x-github-event"], guid: request.headers["x-github-delivery"], good, bad });
    response.writeHead(202).end();
    for (const wake of waiting.splice(0)) wake();
  });
});
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const until = async (found) => {
  const deadline = Date.now() + 20_000;
  while (!found()) {
    assert(Date.now() < deadline, `nothing came; received ${JSON.stringify(received)}`);
    await Promise.race([
      new Promise((resolve) => waiting.push(resolve)),
      new Promise((resolve) => setTimeout(resolve, 50)),
    ]);
  }
};

const me = await app.octokit.request("GET /app");
assert.equal(String(me.data.id), APP_ID);

// createAppAuth on its own: the JWT and the token of an installation.
const auth = createAppAuth({ appId: APP_ID, privateKey: PRIVATE_KEY, request: app.octokit.request });
assert.equal((await auth({ type: "app" })).type, "app");

const hook = `http://127.0.0.1:${server.address().port}/hooks`;
const config = await app.octokit.request("PATCH /app/hook/config", { data: { url: hook } });
assert.equal(config.data.url, hook);
assert.equal((await app.octokit.request("GET /app/hook/config")).data.secret, "********");

const repositories = [];
const installations = [];
await app.eachInstallation(({ installation }) => installations.push(installation.id));
await app.eachRepository(({ repository }) => repositories.push(repository.full_name));
assert(repositories.includes(REPO), JSON.stringify(repositories));
const token = await auth({ type: "installation", installationId: installations[0] });
assert.match(token.token, /^ghs_/);

const octokit = await app.getInstallationOctokit(installations[0]);
const created = await octokit.request("POST /repos/{owner}/{repo}/check-runs", {
  owner,
  repo,
  name: "octokit",
  head_sha: SHA,
  status: "in_progress",
  output: { title: "Working", summary: "…" },
});
assert.equal(created.status, 201);
const completed = await octokit.request("PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}", {
  owner,
  repo,
  check_run_id: created.data.id,
  status: "completed",
  conclusion: "success",
  output: { title: "Done", summary: "All good" },
});
assert.equal(completed.data.conclusion, "success");
const listed = await octokit.request("GET /repos/{owner}/{repo}/commits/{ref}/check-runs", { owner, repo, ref: SHA });
assert(listed.data.check_runs.some((run) => run.id === created.data.id));

// {path} is sent with %2F.
const file = await octokit.request("GET /repos/{owner}/{repo}/contents/{path}", { owner, repo, path: "docs/a.txt" });
assert.equal(Buffer.from(file.data.content, "base64").toString("utf8"), "hello\n");

await until(() => received.some((one) => one.event === "check_run"));
const list = await app.octokit.request("GET /app/hook/deliveries", { per_page: 5 });
const delivery = list.data.find((one) => one.event === "check_run");
assert.equal(delivery.status, "OK");
const arrivals = () => received.filter((one) => one.guid === delivery.guid).length;
const before = arrivals();
const again = await app.octokit.request("POST /app/hook/deliveries/{delivery_id}/attempts", { delivery_id: delivery.id });
assert.equal(again.status, 202);
await until(() => arrivals() > before);
assert(received.every((one) => one.good && !one.bad), JSON.stringify(received));

// Pages of the log by its cursor: GitHub's own Link header, as Octokit's users follow it.
const seen = [];
let page = await app.octokit.request("GET /app/hook/deliveries", { per_page: 1 });
while (page) {
  seen.push(...page.data.map((one) => one.id));
  const next = /<([^>]+)>; rel="next"/.exec(page.headers.link ?? "")?.[1];
  page = next && (await app.octokit.request(`GET ${next}`));
}
assert(seen.length >= received.length, JSON.stringify(seen));
assert.equal(new Set(seen).size, seen.length);
assert.deepEqual(seen, [...seen].sort((a, b) => b - a));

// GraphQL, beside the REST API of github.com and of an Enterprise Server.
const { viewer, repository } = await octokit.graphql(
  "query($owner: String!, $name: String!) { viewer { login } repository(owner: $owner, name: $name) { nameWithOwner } }",
  { owner, name: repo },
);
assert.match(viewer.login, /\[bot\]$/);
assert.equal(repository.nameWithOwner, REPO);
await assert.rejects(
  octokit.graphql('{ repository(owner: "nobody", name: "nothing") { id } }'),
  (error) => error.errors[0].type === "NOT_FOUND",
);

// What the App's owner asks for has to be approved by the account.
const people = new URL("/_emulator", BASE);
const act = async (method, path, body) => {
  const answer = await fetch(`${people}${path}`, { method, body: body && JSON.stringify(body) });
  assert(answer.ok, `${path} ${answer.status}`);
};
const more = BASE.endsWith("/api/v3") ? "pages" : "deployments";
const { data: current } = await app.octokit.request("GET /app");
await act("PATCH", `/apps/${current.slug}`, { permissions: { ...current.permissions, [more]: "write" } });
const outdated = () => app.octokit.request("GET /app/installations", { outdated: "true" });
assert.deepEqual((await outdated()).data.map((one) => one.id), [installations[0]]);
const wanted = { type: "installation", installationId: installations[0], permissions: { [more]: "write" } };
await assert.rejects(auth(wanted), (error) => error.status === 422 && /not granted to this installation/.test(error.message));
await act("POST", `/installations/${installations[0]}/approve`);
assert.equal((await auth(wanted)).permissions[more], "write");
assert.deepEqual((await outdated()).data, []);
await until(() => received.some((one) => one.event === "installation"));
assert.deepEqual((await app.octokit.request("GET /app/installation-requests")).data, []);

// A suspended installation.
const suspended = { installation_id: installations[0] };
await app.octokit.request("PUT /app/installations/{installation_id}/suspended", suspended);
await assert.rejects(
  octokit.request("GET /installation/repositories"),
  (error) => error.status === 403 && /This installation has been suspended/.test(error.message),
);
await app.octokit.request("DELETE /app/installations/{installation_id}/suspended", suspended);
assert.equal((await octokit.request("GET /installation/repositories")).status, 200);

await assert.rejects(octokit.request("GET /user"), (error) => error.status === 403);
await assert.rejects(
  octokit.request("POST /repos/{owner}/{repo}/check-runs", { owner, repo, name: "x", head_sha: SHA, status: "completed" }),
  (error) => error.status === 422,
);
server.close();
server.closeAllConnections();
console.log(JSON.stringify({ installations: installations.length, repositories, received: received.length }));
