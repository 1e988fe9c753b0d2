import { createHash } from 'node:crypto';

import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod';

import { buildDelivery, type ProviderId } from '../../sandbox';
import { composeDelivery } from '../../sandbox/delivery';
import type { Provider as SandboxProvider } from '../../sandbox/provider';
import { providers } from '../../sandbox/providers';
import { platformEnvelope, platformScheme } from '../../sandbox/providers/misarScheme';
import type { Delivery, WireScheme } from './conformanceForgeries';

/**
 * What the documents and SDKs of the providers say a delivery looks like: every event with every
 * signature scheme and envelope of the same provider, and what the trigger makes of it. Written from
 * the documents, not from the nodes.
 */

const PLATFORM = 'misar.io/docs/webhooks';
const PLATFORM_API = 'misar.io/docs/api';
const MAIL_PAGE = 'misarmail.com/integrations/webhooks';
const MAIL_DEV = 'docs.misar.io/dev/mail/api-reference/webhooks';
const MAIL_REFERENCE = 'docs.misar.io/mail/api-reference/webhooks';
const MAIL_SDK = 'MisarMail SDK 5';
const REACH_SDK = 'MisarReach SDK 5';
const POST_HELP = 'social.misar.io/help/integrations-webhooks';
const POST_MCP = 'MisarPost MCP server, create_webhook';
const BLOG = 'docs.misar.io/blog/api-reference/webhooks';
const PANDA = 'mailpanda.io/docs/webhooks';
const METIGAN_GUIDE = 'docs.metigan.com/docs/guides/webhook-integration';
const METIGAN_API = 'docs.metigan.com/docs/api/webhooks';
const METIGAN_OLD = 'docs.metigan.com/docs/api/webhooks (January 2026)';
const METIGAN_SDK = 'Metigan JS SDK 3';

interface EventFact {
	/** As sent. */
	readonly name: string;
	readonly source: string;
	/** In the output, where that differs. */
	readonly becomes?: string;
	/** Why the sandbox does not list it. */
	readonly inferred?: string;
}

export interface SchemeFact extends WireScheme {
	/** Id in the sandbox. */
	readonly id: string;
	readonly source: string;
	/** `verification.scheme` of the output. */
	readonly verifiedAs: string;
	/** A prefix for the sandbox's bare hex, where the documents leave the prefix open. */
	readonly addedPrefix?: string;
}

interface EnvelopeFact {
	/** Id in the sandbox. */
	readonly id: string;
	readonly source: string;
	/**
	 * What the delivery's key consists of: the id alone where a document calls it the event's own, else
	 * a digest of the body, after what names the event where something does.
	 */
	readonly key: 'id' | 'digest' | 'idAndDigest' | 'articleAndDigest' | 'messageAndDigest';
	/** Whether the body itself tells when the event happened. */
	readonly timed: boolean;
	/** The part of the body that is the output's `data`. Default: `data`. */
	readonly data?: readonly string[];
}

/** A set of events that come in each of these schemes and envelopes. */
interface Block {
	readonly provider: ProviderId;
	/** `provider` and `product` of the output. */
	readonly output: { readonly provider: string; readonly product?: string };
	readonly events: readonly EventFact[];
	readonly schemes: readonly SchemeFact[];
	readonly envelopes: readonly EnvelopeFact[];
	/** The address that an event is about, read from its data. */
	readonly about?: (data: unknown) => unknown;
	/** Sends instead of the provider what the sandbox's catalogue does not have. */
	readonly standIn?: SandboxProvider;
}

/** One combination. */
export interface ConformanceRow {
	readonly title: string;
	readonly block: Block;
	readonly event: EventFact;
	readonly scheme: SchemeFact;
	readonly envelope: EnvelopeFact;
	/** The provider's other schemes. */
	readonly siblings: readonly SchemeFact[];
}

const from = (source: string, ...names: string[]): EventFact[] =>
	names.map((name) => ({ name, source }));

/** `X-Misar-Signature: sha256=<hex>` over the body, with the headers the page shows. */
const platform: SchemeFact = {
	id: 'platform',
	source: PLATFORM,
	verifiedAs: 'platform',
	covers: 'body',
	header: 'x-misar-signature',
	eventHeaders: ['x-misar-event'],
	present: (hex) => ({ 'x-misar-signature': `sha256=${hex}` }),
};

/** `{id,type,product,timestamp,api_version,data}`. */
const platformBody: EnvelopeFact = { id: 'platform', source: PLATFORM, key: 'id', timed: true };

const mail: Block = {
	provider: 'misar.mail',
	output: { provider: 'misar', product: 'mail' },
	about: (data) => addressed.parse(data),
	events: [
		...from(PLATFORM, 'email.delivered', 'email.bounced', 'email.opened', 'email.clicked'),
		...from(PLATFORM, 'email.unsubscribed', 'campaign.completed'),
		...from(MAIL_DEV, 'email.sent', 'email.complained', 'campaign.sent'),
		...from(MAIL_DEV, 'contact.created', 'contact.updated'),
		...from(MAIL_REFERENCE, 'email.received'),
		{
			name: 'automation.triggered',
			source: MAIL_PAGE,
			inferred: 'the page has the words "automation triggered" and no machine name',
		},
	],
	schemes: [
		{
			id: 'timestamped',
			source: MAIL_SDK,
			verifiedAs: 'timestamped',
			covers: 'timestamp.body',
			header: 'x-misar-signature',
			timestampHeader: 'x-misar-timestamp',
			eventHeaders: ['x-misar-event'],
			present: (hex, seconds) => ({ 'x-misar-signature': hex, 'x-misar-timestamp': seconds }),
		},
		platform,
		{
			id: 'mailHeader',
			source: MAIL_PAGE,
			verifiedAs: 'mailHeader',
			covers: 'body',
			header: 'x-misarmail-signature',
			eventHeaders: [],
			present: (hex) => ({ 'x-misarmail-signature': hex }),
		},
	],
	envelopes: [
		{ ...platformBody, id: 'E1' },
		{ id: 'E2', source: MAIL_DEV, key: 'id', timed: true },
		{ id: 'E3', source: MAIL_REFERENCE, key: 'id', timed: true },
		{ id: 'E4', source: PLATFORM_API, key: 'digest', timed: true },
	],
};

const reachEvents = from(
	PLATFORM,
	...['lead.found', 'campaign.sent', 'deal.updated', 'contact.replied'],
);

/** The SDK names no encoding: bare hex, or with a prefix that other Misar products use. */
const reachScheme = (prefix: string): SchemeFact => ({
	id: 'reach',
	source: REACH_SDK,
	verifiedAs: 'reach',
	covers: 'timestamp.body',
	header: 'x-reach-signature',
	timestampHeader: 'x-reach-timestamp',
	eventHeaders: [],
	addedPrefix: prefix,
	present: (hex, seconds) => ({
		'x-reach-signature': `${prefix}${hex}`,
		'x-reach-timestamp': seconds,
	}),
});

const reach: Block = {
	provider: 'misar.reach',
	output: { provider: 'misar', product: 'reach' },
	events: [
		...from(REACH_SDK, 'reply.received', 'deal.won', 'deal.lost'),
		...from(REACH_SDK, 'lead_search.completed', 'campaign.completed'),
		...reachEvents,
	],
	schemes: [reachScheme(''), reachScheme('sha256='), reachScheme('v1=')],
	// No document shows a body of MisarReach, so its id may be the deal's.
	envelopes: [{ ...platformBody, key: 'idAndDigest' }],
};

/** The platform page claims its own signature and envelope for MisarReach's events. */
const reachAsPlatform: Block = {
	...reach,
	events: reachEvents,
	schemes: [platform],
	standIn: {
		...providers['misar.reach'],
		schemes: [platformScheme],
		envelopes: [platformEnvelope('platform', 'reach')],
	},
};

const post: Block = {
	provider: 'misar.post',
	output: { provider: 'misar', product: 'post' },
	events: [
		...from(POST_MCP, 'post.published', 'post.failed', 'account.disconnected'),
		...from(PLATFORM, 'post.scheduled', 'campaign.completed'),
		...from(POST_HELP, 'post.approved', 'codeshield.finding', 'trendpulse.rising'),
	],
	schemes: [
		platform,
		{
			// "HMAC-SHA256 of the payload", without a word about a prefix or other headers.
			id: 'platformBare',
			source: POST_HELP,
			verifiedAs: 'platform',
			covers: 'body',
			header: 'x-misar-signature',
			eventHeaders: [],
			present: (hex) => ({ 'x-misar-signature': hex }),
		},
	],
	envelopes: [{ id: 'socialHelp', source: POST_HELP, key: 'digest', timed: true }],
};

/** "All Misar webhooks share a consistent envelope", MisarPost's ("social") among them. */
const postAsPlatform: Block = {
	...post,
	events: from(
		PLATFORM,
		...['post.published', 'post.scheduled', 'post.failed', 'campaign.completed'],
	),
	schemes: [platform],
	envelopes: [platformBody],
	standIn: { ...providers['misar.post'], envelopes: [platformEnvelope('platform', 'social')] },
};

/** A product of which the platform page alone speaks. */
function platformOnly(
	product: 'dev' | 'ai' | 'ink',
	events: readonly EventFact[],
): Block & { readonly schemes: readonly [SchemeFact] } {
	return {
		provider: `misar.${product}`,
		output: { provider: 'misar', product },
		events,
		schemes: [platform],
		envelopes: [platformBody],
	};
}

const dev = platformOnly('dev', [
	...from(PLATFORM, 'plugin.installed', 'plugin.updated', 'plugin.uninstalled'),
	...from(PLATFORM, 'agent.run.completed', 'agent.run.failed'),
]);
const ai = platformOnly(
	'ai',
	from(PLATFORM, 'project.created', 'deploy.succeeded', 'deploy.failed'),
);
const ink = platformOnly('ink', [
	{
		name: 'drawing.made',
		source: PLATFORM,
		inferred: 'the page announces Misar.Ink without naming an event: this name is made up',
	},
]);

const blogEvents = from(BLOG, 'article.published', 'article.updated', 'article.deleted');
const commentCreated = from(PLATFORM, 'comment.created');

const blog: Block = {
	provider: 'misarBlog',
	output: { provider: 'misarBlog' },
	events: [...blogEvents, ...commentCreated],
	schemes: [
		{
			id: 'sharedSecret',
			source: BLOG,
			verifiedAs: 'sharedSecret',
			covers: 'nothing',
			header: 'x-webhook-secret',
			eventHeaders: ['x-webhook-event'],
			comparedEventHeader: 'x-webhook-event',
			eventHeaderRequired: true,
			present: () => ({}),
		},
		{
			...platform,
			eventHeaders: ['x-webhook-event', 'x-misar-event'],
			comparedEventHeader: 'x-webhook-event',
			eventHeaderRequired: true,
		},
	],
	envelopes: [
		{ id: 'blog', source: BLOG, key: 'articleAndDigest', timed: true, data: ['article', 'author'] },
	],
};

/** What the platform page claims of Misar.Blog: its own signature, headers and envelope. */
const blogAsPlatform: Block = {
	...blog,
	events: from(
		PLATFORM,
		...['article.published', 'article.updated', 'article.deleted', 'comment.created'],
	),
	schemes: [{ ...platform, eventHeaderRequired: true }],
	envelopes: [platformBody],
	standIn: {
		...providers.misarBlog,
		schemes: [platformScheme],
		envelopes: [platformEnvelope('platform', 'blog')],
	},
};

const panda: Block = {
	provider: 'mailPanda',
	output: { provider: 'mailPanda' },
	about: (data) => addressed.parse(data),
	// Subscribed to as `open`, described as `email.open`: one event.
	events: ['open', 'click', 'bounce', 'unsubscribe'].flatMap((name) => [
		{ name, source: PANDA },
		{ name: `email.${name}`, source: PANDA, becomes: name },
	]),
	schemes: [
		{
			id: 'bare',
			source: PANDA,
			verifiedAs: 'bare',
			covers: 'body',
			header: 'x-webhook-signature',
			eventHeaders: [],
			present: (hex) => ({ 'x-webhook-signature': hex }),
		},
	],
	// No document shows the body of a delivery; nothing in it is known to be a key or a time.
	envelopes: [{ id: 'eventData', source: PANDA, key: 'digest', timed: false }],
};

const metiganLegacy: SchemeFact = {
	id: 'legacy',
	source: METIGAN_OLD,
	verifiedAs: 'legacy',
	covers: 'body',
	header: 'x-metigan-signature',
	eventHeaders: [],
	pin: 'legacy',
	present: (hex) => ({ 'x-metigan-signature': hex }),
};

const metigan: Block = {
	provider: 'metigan',
	output: { provider: 'metigan' },
	about: (data) => addressed.parse(data),
	events: [
		...from(METIGAN_GUIDE, 'email.delivered', 'email.opened', 'email.clicked'),
		...from(METIGAN_GUIDE, 'email.bounced', 'email.complained'),
		...from(METIGAN_API, 'email.sent', 'email.delivery_delayed'),
		...from(METIGAN_API, 'contact.created', 'contact.updated', 'contact.deleted'),
		...from(METIGAN_API, 'audience.created', 'audience.updated', 'audience.deleted'),
		...from(METIGAN_SDK, 'email.unsubscribed', 'email.failed'),
		...from(METIGAN_OLD, 'form.submitted'),
	],
	schemes: [
		{
			id: 'timestamped',
			source: METIGAN_GUIDE,
			verifiedAs: 'timestamped',
			covers: 'timestamp.body',
			header: 'x-webhook-signature',
			eventHeaders: [],
			present: (hex, seconds) => ({ 'x-webhook-signature': `t=${seconds},v1=${hex}` }),
		},
		{
			id: 'timestampHeader',
			source: METIGAN_SDK,
			verifiedAs: 'timestampHeader',
			covers: 'timestamp.body',
			header: 'x-webhook-signature',
			timestampHeader: 'x-webhook-timestamp',
			eventHeaders: [],
			present: (hex, seconds) => ({
				'x-webhook-signature': hex,
				'x-webhook-timestamp': seconds,
			}),
		},
		{
			id: 'v1TimestampHeader',
			source: METIGAN_SDK,
			verifiedAs: 'timestampHeader',
			covers: 'timestamp.body',
			header: 'x-webhook-signature',
			timestampHeader: 'x-webhook-timestamp',
			eventHeaders: [],
			present: (hex, seconds) => ({
				'x-webhook-signature': `v1=${hex}`,
				'x-webhook-timestamp': seconds,
			}),
		},
		metiganLegacy,
	],
	envelopes: [{ id: 'metigan', source: METIGAN_API, key: 'messageAndDigest', timed: true }],
};

/** The old API page reads `event.type` and `event.data` and shows no other field. */
const metiganOld: Block = {
	...metigan,
	events: [
		...from(METIGAN_OLD, 'email.sent', 'email.delivered', 'email.opened'),
		...from(METIGAN_OLD, 'email.clicked', 'email.bounced', 'form.submitted'),
	],
	schemes: [metiganLegacy],
	envelopes: [
		{
			id: 'old',
			source: METIGAN_OLD,
			key: 'digest',
			timed: false,
		},
	],
	standIn: {
		...providers.metigan,
		envelopes: [
			{ id: 'old', source: METIGAN_OLD, build: ({ event, data }) => ({ type: event, data }) },
		],
	},
};

/** Every combination that a document or SDK names, block by block. */
export const blocks: readonly Block[] = [
	...[mail, reach, reachAsPlatform, post, postAsPlatform, dev, ai, ink],
	...[blog, blogAsPlatform, panda, metigan, metiganOld],
];

export const rows: readonly ConformanceRow[] = blocks.flatMap(rowsOf);

function rowsOf(block: Block): ConformanceRow[] {
	const all = blocks.filter(({ provider }) => provider === block.provider);
	const known = new Set(all.flatMap(({ schemes }) => schemes));
	return block.events.flatMap((event) =>
		block.schemes.flatMap((scheme) =>
			block.envelopes.map((envelope) => ({
				title: [block.provider, event.name, `${scheme.id}${scheme.addedPrefix ?? ''}`, envelope.id]
					.join(' | ')
					.concat(` [${event.source}; ${scheme.source}; ${envelope.source}]`),
				block,
				event,
				scheme,
				envelope,
				siblings: [...known].filter(({ id }) => id !== scheme.id),
			})),
		),
	);
}

/** Has the sandbox sign a row's delivery. Times are epoch milliseconds. */
export function signRow(
	row: ConformanceRow,
	{ secret, id, atMs }: { secret: string; id: string; atMs: number },
): Delivery {
	const { block, event, scheme, envelope } = row;
	const input = { event: event.name, scheme: scheme.id, envelope: envelope.id, id };
	const { headers, body } =
		block.standIn === undefined
			? buildDelivery({ ...input, provider: block.provider, secret, timestampMs: atMs })
			: signAs(block.standIn, { ...input, timestampMs: atMs }, secret);
	if (scheme.addedPrefix === undefined) return { headers, body };
	return {
		headers: { ...headers, [scheme.header]: `${scheme.addedPrefix}${headers[scheme.header]}` },
		body,
	};
}

function signAs(
	provider: SandboxProvider,
	input: Parameters<typeof composeDelivery>[1],
	secret: string,
): { headers: Record<string, string>; body: Buffer } {
	const delivery = composeDelivery(provider, input);
	const headers = Object.entries(delivery.headers({ secret, signedAtMs: Date.now() }));
	return {
		headers: Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value])),
		body: delivery.body,
	};
}

const timed = z.object({ timestamp: z.string() });
const addressed = z
	.object({ email: z.string(), to: z.string(), recipient: z.string() })
	.partial()
	.transform(({ email, to, recipient }) => email ?? to ?? recipient);

/** The output that a row's delivery has to start a run with, but for `headers` and `payload`. */
export function expectedOutput(
	row: ConformanceRow,
	{ id, atMs, body }: { id: string; atMs: number; body: Buffer },
): IDataObject {
	const { block, event, scheme, envelope } = row;
	const sent: IDataObject = JSON.parse(body.toString('utf8'));
	const at = new Date(atMs).toISOString();
	const digest = createHash('sha256').update(body).digest('hex');
	const short = digest.slice(0, 16);
	const keys = {
		id,
		digest,
		idAndDigest: `${id}:${short}`,
		articleAndDigest: `${id}:${event.name}:${at}:${short}`,
		messageAndDigest: `${event.name}:${id}:${atMs}:${short}`,
	};
	return {
		...block.output,
		event: event.becomes ?? event.name,
		deliveryId: keys[envelope.key],
		occurredAt: envelope.timed || timed.safeParse(sent['data']).success ? at : null,
		recipient: block.about?.(sent['data']) ?? null,
		data:
			envelope.data === undefined
				? sent['data']
				: Object.fromEntries(envelope.data.map((name) => [name, sent[name]])),
		verification: {
			scheme: scheme.verifiedAs,
			...(scheme.covers === 'timestamp.body' ? { signedAt: at } : {}),
		},
	};
}
