import { cpus, release, totalmem, type } from 'node:os';

import type { Host } from './support/underHost';

/** The text of bench/RESULTS.md: what was measured, and how. Conclusions belong in bench/NOTES.md. */
export function resultsDocument(
	{ n8nVersion, nodeVersion }: Host,
	reports: Readonly<Record<string, string>>,
): string {
	const [cpu] = cpus();
	const gigabytes = Math.round(totalmem() / 1024 ** 3);
	return `# Results of \`npm run bench\`

Written by the last full run, ${new Date().toISOString().slice(0, 10)}. \`npm run bench -- <section> --quick\` measures one section in short
and writes nothing.

- Machine: ${cpus().length} × ${cpu?.model ?? 'unknown processor'}, ${gigabytes} GB, ${type()} ${release()}
- n8n ${n8nVersion} under its own Node ${nodeVersion}, database SQLite; this program under Node ${process.version}

The figures are medians over rounds in which all take turns in a new random order; ratios are the median of the ratios
of each round. "Scatter" is half the distance between the quartiles, as a share of the median: a difference below it
says nothing.

## In a real n8n

Each workflow runs in an n8n process of its own and gets deliveries of about 1 kB over 10 connections. "Per second" counts
until the last run has finished, not only until the last answer. "/ bare Webhook" compares that with what the bare Webhook
node does with valid deliveries. The milliseconds are those until the answer; kB is the growth of the database for each
delivery; CPU ms is the processor time that n8n took for each.

- **vm** is n8n's default: an isolate for each delivery and run. **lazy** is the same with
  \`N8N_EXPRESSION_ENGINE_LAZY_ACQUIRE\` and \`N8N_EXPRESSION_ENGINE_COMPILE_CACHE\`: an isolate only where there is something
  to evaluate. **legacy** has none.
- **our trigger**: the Misar Trigger, then No Operation. What is forged, of an event that is not selected (ignored), does
  not meet a condition (unmet) or has come before (duplicate) starts no run.
- **Edit Fields**: three expressions instead of No Operation, as most workflows have some.
- **Webhook and Receive**: n8n's Webhook node, which answers at once, then Delivery → Receive, then No Operation.
- **bare Webhook node**: the same without Receive. It verifies nothing.
- **core GitHub Trigger**: n8n's own trigger, then No Operation.
- **recipe**: what a user would build: Webhook, Crypto (HMAC), IF, Respond to Webhook.

${reports['real-n8n'] ?? ''}

## Start and memory

n8n's start until it is ready and signed in to, on an existing database, with and without the package. The files of the
nodes are loaded when a workflow first uses them (\`test/e2e/lazyLoading.test.ts\`).

${reports['start'] ?? ''}

## Start with many published workflows

n8n's start with 100 workflows that are published, each of one trigger and No Operation, and the minute after it. n8n 2.41
publishes in the background while it is ready already, by its publication service; without it, as older versions do, it
is ready when all are published. The calls are those to the provider, which answers at once or after 300 ms.

${reports['published'] ?? ''}

## Publishing in a large account

Metigan's list of endpoints is paged by 100: publishing for the first time reads all of it, to find what a broken-off
publish may have left behind.

${reports['registration'] ?? ''}

## Own work

What each trigger itself does for a delivery of 1 kB, in microseconds: \`webhook()\` in the real \`WebhookContext\` of the
pinned n8n, from the raw body on, with n8n's answers (parameters, credential) prepared.

${reports['own-work'] ?? ''}

What such figures led to, and why some goals are not met, is told in [NOTES.md](NOTES.md), which is written by hand.
`;
}
