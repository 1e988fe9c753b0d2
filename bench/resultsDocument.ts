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

Contenders take turns in one run, in an order that changes at random from round to round. Figures are medians over the
rounds; ratios are the median of the ratios of each round. "Scatter" is half the distance between the quartiles, as a
share of the median: a difference below it says nothing.

## In process

\`webhook()\` of each trigger through the real \`WebhookContext\` of the pinned n8n's own n8n-core, with the packed package,
in microseconds per delivery.

- **limit**: one \`createHmac\`, one \`timingSafeEqual\`, one \`JSON.parse\`.
- **context set-up**: n8n makes a \`Workflow\` and a context for each delivery to any trigger.
- **webhook()**: parsing the body as n8n does before it calls a trigger, and \`webhook()\` with all it asks of n8n
  (node, parameters; the credential once in 5 seconds, without n8n's database query).
- **own work**: the same with n8n's answers prepared, so that what is left is the package's own.
- The core triggers get the same bodies, parsed by n8n as well; they read no credential, because they keep their signing
  secret in static data in the clear. The libraries verify and parse.

${reports['in-process'] ?? ''}

## In a real n8n

A workflow in an n8n process of its own, 10 connections, deliveries of about 1 kB. "Per second" counts until the last run
has finished, not only until the last answer. The recipe is what a user would build: Webhook, Crypto (HMAC), IF, Respond
to Webhook. Rows are executions stored for each delivery; kB is the growth of the database for each delivery.

${reports['real-n8n'] ?? ''}

## Start and memory

n8n's start until it is ready and signed in to, on an existing database, with and without the package. The files of the
nodes are loaded when a workflow first uses them (\`test/e2e/lazyLoading.test.ts\`); "loading all" is what it would cost
to load everything at once.

${reports['start'] ?? ''}

## Growth

The dedupe memory keeps 10,000 deliveries of each trigger. Metigan's list of endpoints is paged by 100: publishing for the first time reads
all of it, to find what a broken-off publish may have left behind; nothing else grows with the account.

${reports['growth'] ?? ''}

What these figures led to, and why some goals are not met, is told in [NOTES.md](NOTES.md), which is written by hand.
`;
}
