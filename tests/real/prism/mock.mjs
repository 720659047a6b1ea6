// Serves a mock of GitHub's API made by Prism from GitHub's description.
//
// usage: node mock.mjs trimmed.jsonschema.json.gz SPEC.json
//
// Environment: NODE_MODULES, a folder with this file's package.json installed. Writes the description as Prism is to
// read it to SPEC.json, then becomes `prism mock` on a free port of 127.0.0.1, which says where it listens.
import { readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { gunzipSync } from "node:zlib";

const [source, target] = process.argv.slice(2);
const description = JSON.parse(gunzipSync(readFileSync(source)));

// GitHub answers its own media types with JSON; the description names only `application/json`.
const answers = (responses) => {
  for (const { content } of Object.values(responses ?? {})) {
    if (content?.["application/json"]) content["application/vnd.github+json"] = content["application/json"];
  }
};
for (const item of Object.values(description.paths)) {
  for (const operation of Object.values(item)) answers(operation.responses);
}
answers(description.components.responses);

// What Prism invents is valid, but no client can go on with a time called "string" or a folder for a file.
const example = (path, method, status, value) => {
  for (const media of Object.values(description.paths[path][method].responses[status].content)) media.example = value;
};
example("/app/installations/{installation_id}/access_tokens", "post", 201, {
  token: "ghs_prism",
  expires_at: "2099-01-01T00:00:00Z",
  permissions: { checks: "write" },
  repository_selection: "all",
});
const url = "https://example.com";
example("/repos/{owner}/{repo}/contents/{path}", "get", 200, {
  type: "file",
  encoding: "base64",
  content: "aGVsbG8K",
  size: 6,
  name: "a.txt",
  path: "a.txt",
  sha: "ce013625030ba8dba906f756967f9e9ca394464a",
  url,
  git_url: url,
  html_url: url,
  download_url: url,
  _links: { self: url, git: url, html: url },
});
// Prism has no parameter that holds slashes.
const contents = description.paths["/repos/{owner}/{repo}/contents/{path}"].get;
description.paths["/repos/{owner}/{repo}/contents/{folder}/{path}"] = {
  get: {
    ...contents,
    operationId: `${contents.operationId}-below`,
    parameters: [...contents.parameters, { name: "folder", in: "path", required: true, schema: { type: "string" } }],
  },
};
writeFileSync(target, JSON.stringify(description));

process.env.SCARF_ANALYTICS = "false";
process.argv.splice(2, Infinity, "mock", "--host", "127.0.0.1", "--port", "0", target);
await import(pathToFileURL(`${process.env.NODE_MODULES}/@stoplight/prism-cli/dist/index.js`));
