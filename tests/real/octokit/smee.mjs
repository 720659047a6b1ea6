// The real smee-client: listens to SOURCE and forwards to TARGET until it is killed.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(`${process.env.NODE_MODULES}/`);
const { default: SmeeClient } = await import(pathToFileURL(require.resolve("smee-client")));
const logger = { info: () => {}, error: (error) => console.error(error) };
const source = process.env.SOURCE ?? (await SmeeClient.createChannel({ newChannelUrl: process.env.NEW }));
const client = new SmeeClient({ source, target: process.env.TARGET, logger });
await client.start();
console.log(source);
