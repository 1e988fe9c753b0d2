import { z } from 'zod/v4';

import type { Provider, ProviderFamily } from '../shared/provider';
import { operations, searches } from './operations';
import { recovery } from './recovery';
import { sample } from './samples';

/**
 * Misar.Blog, after its webhook reference (docs.misar.io/blog/api-reference/webhooks). It has no API
 * for webhooks: one URL is pasted into the dashboard and gets every event, once, without retries.
 */

const text = z.string();
const nullableText = z.string().nullable();
const optionalText = z.string().nullish();

/** The article at the time of the event; body, excerpt, tags and URL are null once it is deleted. */
export const articleSchema = z.object({
	id: text,
	slug: text,
	title: text,
	excerpt: nullableText,
	content_html: nullableText,
	/** The authoritative source of the content; not in every delivery. */
	content_markdown: optionalText,
	/** `webhook_only` articles are delivered for syndication and are not public. */
	visibility: z.enum(['public', 'subscribers', 'paid', 'private', 'webhook_only']).optional(),
	tags: z.array(text).nullable(),
	published_at: nullableText,
	updated_at: nullableText,
	canonical_url: nullableText,
	featured_image_url: optionalText,
	featured_image_credit_name: optionalText,
	featured_image_credit_url: optionalText,
	featured_image_source: z.enum(['upload', 'ai', 'unsplash', 'pexels']).nullish(),
});

export const authorSchema = z.object({ username: text, display_name: nullableText });

export type MisarBlogArticle = z.infer<typeof articleSchema>;
export type MisarBlogAuthor = z.infer<typeof authorSchema>;

const identified = z.object({ id: text });
const articleData = { blog: z.object({ article: articleSchema, author: authorSchema }) };

const misarBlogProvider: Provider = {
	id: 'misarBlog',
	displayName: 'Misar.Blog',
	description: 'Articles published, updated and deleted',
	credentialType: 'misarBlogApi',
	baseUrl: 'https://api.misar.io',
	apiRoots: ['/blog/v1', '/blog'],
	events: [
		{
			name: 'article.published',
			label: 'Article Published',
			description: 'A new article was published, or a draft went live',
			howTo: 'Publish an article; with the visibility Private only you see it',
			data: articleData,
		},
		{
			name: 'article.updated',
			label: 'Article Updated',
			description: 'The content of a published article was changed',
			howTo: 'Change a published article and save it',
			data: articleData,
		},
		{
			name: 'article.deleted',
			label: 'Article Deleted',
			description: 'A published article was deleted for good',
			howTo: 'Delete a published article that you made for the test',
			data: articleData,
		},
		{
			name: 'comment.created',
			label: 'Comment Created',
			description: 'A comment was written',
			howTo: 'Write a comment below an article of your own',
			unconfirmed: 'Not confirmed by Misar, not part of All Events',
		},
	],
	sample,
	schemes: [
		{
			id: 'platform',
			name: 'X-Misar-Signature with sha256=',
			description: 'As the platform page claims for every Misar product: the body is signed',
			kind: 'hmac',
			header: 'x-misar-signature',
			layout: { type: 'hex', prefixes: ['sha256='] },
			signed: 'body',
			auto: true,
		},
		{
			id: 'sharedSecret',
			name: 'X-Webhook-Secret',
			description: 'As in the reference of Misar.Blog: the header holds the shared secret itself',
			kind: 'sharedSecret',
			header: 'x-webhook-secret',
			auto: true,
		},
	],
	envelope: {
		shapes: [
			{
				id: 'blog',
				mark: 'article',
				schema: z.object({ event: text, timestamp: text }),
			},
			{
				id: 'platform',
				mark: 'api_version',
				schema: z.object({
					id: text,
					type: text,
					product: text,
					timestamp: text,
					api_version: text,
					data: z.object({}),
				}),
			},
		],
		eventFields: ['event', 'type'],
		// "For production, verify that X-Webhook-Event matches the event field."
		eventHeaders: ['x-webhook-event', 'x-misar-event'],
		comparedEventHeader: 'x-webhook-event',
		timeFields: ['timestamp'],
		data: (body) =>
			body['article'] === undefined && body['author'] === undefined
				? body['data']
				: { article: body['article'], author: body['author'] },
		// The platform page calls its id the event's own; a body of the Blog has none.
		idempotencyKey: ({ id, api_version }) =>
			typeof id === 'string' && id !== '' && api_version !== undefined ? id : undefined,
		// An article can be updated again and again, even in one millisecond.
		keyPrefix: ({ article, event, timestamp }) => {
			const parsed = identified.safeParse(article);
			return parsed.success && typeof event === 'string' && typeof timestamp === 'string'
				? `${parsed.data.id}:${event}:${timestamp}`
				: undefined;
		},
		testEvents: ['ping', 'test', 'webhook.test'],
		retried: false,
		answerWithinSeconds: 10,
	},
	recovery,
	operations,
	searches,
	// The SDKs of Misar.Blog.
	planRefusals: ['plan_limit_exceeded'],
	defaultRegistration: 'manual',
	manualSteps: [
		'Open <a href="https://misar.blog/dashboard/integrations" target="_blank">misar.blog/dashboard/integrations</a>, paste the URL and click Save. All events go to this one URL; this node runs the ones you choose below.',
		'The dashboard shows no signing secret: it is one value for all of Misar.Blog. Ask Misar (<a href="https://misar.io" target="_blank">misar.io</a>, contact) for the value of the header X-Webhook-Secret and enter it as Signing Secret in the credential.',
		'Until Misar has answered, you can switch on Options → Accept Unverified Deliveries. Anybody who learns the URL can start this workflow then, so switch it off again once you have the secret.',
	],
	whereSecretIs:
		'The dashboard does not show it: ask Misar (https://misar.io, contact) for the value of the header X-Webhook-Secret',
	secretOptional: true,
};

/** Misar.Blog has one product. */
export const misarBlog: ProviderFamily = [misarBlogProvider];
