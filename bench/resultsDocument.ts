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

The dedupe memory keeps 10,000 deliveries. Metigan's list of endpoints is paged by 100: publishing for the first time reads
all of it, to find what a broken-off publish may have left behind; nothing else grows with the account.

${reports['growth'] ?? ''}

## What the bench found, and what was changed

Own work is microseconds per delivery of 1 kB, before and after, on the same idle machine with the same program and a limit of
about 12 µs, unless another thing is said.

- **The credential was read for each delivery.** n8n takes a database query and, with its default engine, a V8 isolate for it.
  What was read in the last 5 seconds verifies now; only where a newer secret could match is the credential read again, by a
  read that begins after the delivery came and that all deliveries that wait share. So no delivery is refused for a
  secret that is older than itself, and a valid one costs no read.
- **Opening the sealed signing secret** (HKDF and AES-256-GCM) was a third of the time in \`webhook()\`. An opened seal is
  remembered in process memory by everything it follows from.
- **The body was parsed twice**, by n8n and by the package. n8n's own result is used where it cannot differ: JSON by content
  type, UTF-8, beginning with \`{\`.
- **Schemas.** With zod 4's reader (\`zod/v4\`, part of the zod that n8n brings) for bodies, and checks by hand for parameters,
  credential and record, which are asked for each delivery, own work fell from 88 to 43 µs (Metigan).
- **A schema was made for each delivery** of Misar.Blog: from 98 to 30 µs.
- **A full dedupe memory** took an iterator from the oldest key on for each delivery, past all keys dropped before. The
  iterator is kept: from 59 to 3.4 µs per delivery (50,000 deliveries beyond the bound).
- **The list of endpoints** was read twice to publish and once to restart: Metigan's, which is paged, took 203 calls to
  publish in an account of 10,000 endpoints, and the whole list again to restart. It is read once to publish now, and a
  restart looks at the first page and at the endpoint itself.
- **Tried and dropped**: a rest between two reads of the credential, so that more deliveries share one. Forged
  deliveries per second fell from 303 to 216 (legacy) and stayed at 20 (vm).

### What stands in the way of the goals that are not met

- **Twice the limit at 1 kB.** Without reading its parameters, checking the body's shape and remembering the delivery the
  package would still take 2.5 times the limit (measured by leaving them out one after another: 3.6, 3.3, 2.9, 2.5). The
  limit is a loop of two calls that stays in the processor's caches; among other work the same HMAC and the same parsing take
  half as long again (profile). A delivery of this size costs n8n three orders of magnitude more.
- **64 kB within 1.25 times.** The package's constant part of 30 to 60 µs is a tenth of the limit at this size; triggers end up
  on both sides of the goal, by less than the scatter.
- **Faster than the others at 1 kB, and than core's GitHub Trigger at 64 kB.** They compare one signature. The package also reads
  its parameters, picks the scheme, checks the shape, finds the id and remembers it: that is the constant part.
- **Mail Panda** documents no id of a delivery, so its body is digested to recognise it when it comes again: a second pass.
- **Forged deliveries, engine \`vm\`.** n8n takes an isolate before any trigger but its own Webhook node is called: core's
  GitHub Trigger, which reads no credential at all, shows what that alone costs: its forged deliveries are the most that any
  trigger can reach. A forged delivery needs a read of
  the credential that is newer than itself, shared with others or not, because its secret might have been changed.

## What n8n itself costs

With its default expression engine (\`vm\`) n8n takes a V8 isolate for each delivery to any trigger but its own Webhook node
before the trigger is called (\`live-webhooks.js\`, \`webhookPhaseNeedsIsolate\`), one for each credential that is read
(\`credentials-helper.js\`, \`applyDefaultsAndOverwrites\`), and one for the run. This is why core's GitHub Trigger, which reads
no credential, is slow in the same way, and why the figures of \`legacy\` are several times higher with the same code.

A user can reduce it:

- \`N8N_EXPRESSION_ENGINE=legacy\` takes no isolates. It evaluates expressions in n8n's own process: only where everybody
  who may edit workflows is trusted.
- \`EXECUTIONS_DATA_SAVE_ON_SUCCESS=none\` keeps successful runs out of the database.
- Queue mode moves the runs to workers.
`;
}
