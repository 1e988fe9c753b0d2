import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { describeIssues, json } from '../answers';
import type { Api, ApiServices, DeliveryFacts, Provider } from '../provider';
import { listBehaviour } from '../listing';
import { sampleBlogData } from '../samples/misarBlog';
import { isoMillis, randomId } from '../signing';
import { Variants } from '../variants';
import { bearerScope, noRetry, ownsPath } from './common';
import { Articles } from './misarBlogArticles';
import { misarErrors } from './misarErrors';
import { platformEvents, platformHeaders, platformScheme } from './misarScheme';

const REFERENCE = 'docs.misar.io/blog/api-reference/webhooks';

const blogHeaders = ({ event }: DeliveryFacts) => ({
	'User-Agent': 'MisarBlog-Webhook/1.0',
	'X-Webhook-Event': event,
});

const behaviour = z.object({
	planStatus: z.union([z.literal(402), z.literal(429)]).default(402),
	/** The API reference shows `{data}`, the SDKs `{articles}`. */
	articleList: z.enum(['data', 'articles']).default('articles'),
	/** Free 60, Pro 300, Business 1,000 a minute (API overview). */
	callsPerMinute: z.number().int().positive().default(60),
	...listBehaviour,
});

/**
 * Misar.Blog: the URL is typed into its dashboard, every event goes there, nothing is repeated, and the
 * proof is one secret of the whole platform in a header.
 */
export const misarBlog: Provider = {
	id: 'misarBlog',
	title: 'Misar.Blog',
	events: [
		...['article.published', 'article.updated', 'article.deleted'].map((name) => ({
			name,
			source: REFERENCE,
		})),
		...platformEvents('comment.created'),
	],
	schemes: [
		{
			id: 'sharedSecret',
			source: REFERENCE,
			timestamped: false,
			signatureHeader: 'X-Webhook-Secret',
			eventHeader: 'X-Webhook-Event',
			extraHeaders: blogHeaders,
			sign: ({ secret }) => ({ 'X-Webhook-Secret': secret }),
		},
		{
			// The platform page claims its signature for every product; the body stays the Blog's.
			...platformScheme,
			eventHeader: 'X-Webhook-Event',
			extraHeaders: (facts) => ({ ...platformHeaders(facts), ...blogHeaders(facts) }),
		},
	],
	envelopes: [
		{
			id: 'blog',
			source: REFERENCE,
			build: ({ event, occurredAtMs, data }) => ({
				event,
				timestamp: isoMillis(occurredAtMs),
				...(typeof data === 'object' ? data : {}),
			}),
		},
	],
	retry: noRetry(10),
	keyPrefix: 'mbk_',
	sharedSecret: true,
	newEndpointId: () => randomId('dashboard_'),
	newSecret: () => randomId('', 32),
	newEventId: () => randomUUID(),
	sampleData: sampleBlogData,
	wants: () => true,
	api: createApi,
};

/** Without a webhook route: "the API has no webhook registration" (Misar.Blog PHP SDK 5). */
function createApi(services: ApiServices): Api {
	const variants = new Variants(behaviour);
	const articles = new Articles();
	const errors = misarErrors({
		unauthorized: 'Invalid API key',
		scope: () =>
			json(403, {
				error: 'insufficient scope',
				required_scope: 'articles:write',
				granted_scopes: ['articles:read'],
			}),
		plan: () =>
			json(
				variants.current.planStatus,
				{
					code: 'plan_limit_exceeded',
					error: 'Your plan does not include this feature',
					upgrade: {
						current_plan: { slug: 'free' },
						urls: { pricing: 'https://misar.blog/pricing' },
					},
				},
				{ 'x-misar-plan': 'free', 'x-misar-upgrade-url': 'https://misar.blog/pricing' },
			),
		invalid: (issues) => json(422, { error: describeIssues(issues) }),
	});
	return {
		owns: ownsPath('/blog'),
		identify: (request) => bearerScope(request, services.keys),
		routes: [
			{
				method: 'GET',
				path: '/blog/v1/me',
				handle: () => json(200, { username: 'mrgulshanyadav', display_name: 'mrgulshanyadav' }),
			},
			...articles.routes(errors, () => variants.current),
		],
		errors,
		variants,
		record: (event) => articles.record(event),
		reset: () => articles.clear(),
	};
}
