// Drives a headless Chromium through its debugging pipe, step by step, and tells what it saw.
//
//   node browser.mjs CHROMIUM PROFILE 'STEPS'
//
// STEPS is a JSON array of steps:
//   ["goto", URL]         opens a page
//   ["see", SELECTOR]     waits until there is such an element
//   ["at", PART]          waits until the address has this part
//   ["click", SELECTOR]   clicks it where it stands on the screen
//   ["shot", FILE]        writes a picture of the whole page
//   ["reload"]            as a person does
//   ["scheme", NAME]      light or dark
//   ["text"]              only tells
// Standard output: one JSON object a step with url, title and text of the page, then one with
// `errors` (what the console would show) and `requests` (every address that was asked for).
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';

const PATIENCE_MS = 30_000;
const [program, profile, steps] = process.argv.slice(2);
const chromium = spawn(program, [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking',
  '--disable-component-update', '--no-first-run', '--no-proxy-server', '--window-size=1000,900',
  `--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank',
], { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
const [, , , to, from] = chromium.stdio;

let next = 0;
let session;
const waiting = new Map();
const errors = [];
const requests = [];
let loaded = () => {};

function send(method, params = {}, inSession = true) {
  const id = ++next;
  to.write(JSON.stringify({ id, method, params, ...(inSession && session ? { sessionId: session } : {}) }) + '\0');
  return new Promise((resolve, reject) => waiting.set(id, { resolve, reject, method }));
}

let unread = '';
from.setEncoding('utf8');
from.on('data', (text) => {
  unread += text;
  const messages = unread.split('\0');
  unread = messages.pop();
  messages.map((message) => JSON.parse(message)).forEach(hear);
});

function hear({ id, result, error, method, params }) {
  const call = waiting.get(id);
  if (call) {
    waiting.delete(id);
    return error ? call.reject(new Error(`${call.method}: ${error.message}`)) : call.resolve(result);
  }
  if (method === 'Page.loadEventFired') loaded();
  if (method === 'Network.requestWillBeSent') requests.push(params.request.url);
  if (method === 'Log.entryAdded' && params.entry.level === 'error') errors.push(`${params.entry.text} ${params.entry.url ?? ''}`);
  if (method === 'Runtime.exceptionThrown') errors.push(params.exceptionDetails.text);
}

const page = async (expression) => (await send('Runtime.evaluate', { expression, returnByValue: true })).result.value;
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(what, probe) {
  for (const begun = Date.now(); Date.now() - begun < PATIENCE_MS; await pause(25)) {
    // While a page is left, there is nobody to ask.
    const found = await probe().catch(() => undefined);
    if (found) return found;
  }
  throw new Error(`gave up waiting: ${what}; at ${await page('location.href')}: ${await page('document.body.innerText')}`);
}

const arrived = (go) => new Promise((resolve, reject) => {
  loaded = resolve;
  go().catch(reject);
});

const doing = {
  goto: (url) => arrived(() => send('Page.navigate', { url })),
  reload: () => arrived(() => send('Page.reload')),
  see: (selector) => until(selector, () => page(`document.readyState === 'complete' && !!document.querySelector(${JSON.stringify(selector)})`)),
  at: (part) => until(part, () => page(`document.readyState === 'complete' && location.href.includes(${JSON.stringify(part)})`)),
  scheme: (value) => send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value }] }),
  text: async () => {},
  async click(selector) {
    await doing.see(selector);
    const at = await page(`(() => { const e = document.querySelector(${JSON.stringify(selector)});
      e.scrollIntoView({ block: 'center' }); const r = e.getBoundingClientRect();
      return { x: r.x + r.width / 2, y: r.y + r.height / 2 }; })()`);
    for (const type of ['mousePressed', 'mouseReleased']) {
      await send('Input.dispatchMouseEvent', { type, ...at, button: 'left', clickCount: 1 });
    }
  },
  async shot(file) {
    const { data } = await send('Page.captureScreenshot', { format: 'png', captureBeyondViewport: true });
    writeFileSync(file, Buffer.from(data, 'base64'));
  },
};

const limit = setTimeout(() => fail(new Error('the browser takes too long')), 4 * PATIENCE_MS);

function fail(error) {
  console.error(error.message);
  chromium.kill('SIGKILL');
  process.exit(1);
}

chromium.on('exit', (code) => code && fail(new Error(`chromium ended with ${code}`)));
chromium.on('error', fail);

try {
  const { targetId } = await send('Target.createTarget', { url: 'about:blank' }, false);
  session = (await send('Target.attachToTarget', { targetId, flatten: true }, false)).sessionId;
  for (const domain of ['Page', 'Network', 'Log', 'Runtime']) await send(`${domain}.enable`);
  for (const [step, argument] of JSON.parse(steps)) {
    await doing[step](argument);
    const shown = await until('a page', () => page('({ url: location.href, title: document.title, text: document.body.innerText })'));
    console.log(JSON.stringify({ step, ...shown }));
  }
  console.log(JSON.stringify({ errors, requests }));
  clearTimeout(limit);
  const gone = new Promise((resolve) => chromium.once('close', resolve));
  await Promise.race([send('Browser.close', {}, false).catch(() => {}), gone]);
  await Promise.race([gone, pause(2000)]);
  chromium.kill('SIGKILL');
  process.exit(0);
} catch (error) {
  fail(error);
}
