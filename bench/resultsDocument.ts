import { cpus, release, totalmem, type } from 'node:os';

import type { Host } from './support/underHost';

/** Writes bench/RESULTS.md: what was measured, how, and what it means. */
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
  (parameters, credential decrypted and resolved; n8n's database query for the credential is not part of it).
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

The dedupe memory keeps 10,000 deliveries. Metigan's list of endpoints is paged by 100, so that reading it takes one call
for each page; the other calls do not grow with the account.

${reports['growth'] ?? ''}

## What the bench found, and what was changed

- **Opening the sealed signing secret** (HKDF and AES-256-GCM) was the largest part of the package's own work: 32 % of the
  time in \`webhook()\` in a profile (\`node --cpu-prof\`, 1 kB). An opened seal is remembered in process memory by
  a digest of everything it follows from, so that another key, node or seal opens anew. With it, and one parse of the body
  instead of two, own work fell from about 280 to about 95 µs (1 kB, Misar Mail, on a busy machine, same program before and
  after, limit 11–20 µs).
- **The body was parsed twice**, by n8n and by the package. n8n's own result is used where it cannot differ: JSON by content
  type, UTF-8, beginning with \`{\`. The size of a body now costs one HMAC more than it costs n8n anyway.
- **A zod schema was made for each delivery**, the options were parsed twice, and the node copied twice: once each now.
- **The credential was read for each delivery.** n8n takes a V8 isolate for each read (below). Deliveries that wait at the
  same time share one read, which always begins after the last of them arrived, so that none sees an old secret.
- **A full dedupe memory** took an iterator from the oldest key on for each delivery, past all keys dropped before. The
  iterator is kept now: from 59 to 3.4 µs per delivery (50,000 deliveries beyond the bound, Node 20, before and after
  right after each other).

## What n8n itself costs

With its default expression engine (\`vm\`) n8n takes a V8 isolate for each delivery to any trigger but its own Webhook node
before the trigger is called (\`live-webhooks.js\`, \`webhookPhaseNeedsIsolate\`), one for each credential that a trigger reads
(\`credentials-helper.js\`, \`applyDefaultsAndOverwrites\`), and one for the run. This is why core's GitHub Trigger, which reads
no credential, is slow in the same way, and why the figures of \`legacy\` are several times higher with the same code.

A user can reduce it:

- \`N8N_EXPRESSION_ENGINE=legacy\` takes no isolates. It evaluates expressions in n8n's own process: only where everybody
  who may edit workflows is trusted.
- \`EXECUTIONS_DATA_SAVE_ON_SUCCESS=none\` keeps successful runs out of the database.
- Queue mode moves the runs to workers.
`;
}
