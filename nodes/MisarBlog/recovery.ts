import { z } from 'zod/v4';

import { timeOf } from '../shared/delivery/values';
import { jsonObjectSchema } from '../shared/jsonObject';
import type { ListedEvent, RecoveryApi } from '../shared/provider';

const text = z.string();
const identifiedSchema = z.object({ article: z.object({ id: text }) });
const publishedSchema = z.object({ article: z.object({ id: text, published_at: text }) });

/** A list of articles, as the API reference and the SDKs write it. */
export const articleListSchema = z.union([
	z.object({ data: z.array(z.unknown()), total: z.number().optional() }),
	z
		.object({ articles: z.array(z.unknown()), total: z.number().optional() })
		.transform(({ articles, total }) => ({ data: articles, total })),
]);
const listedArticleSchema = jsonObjectSchema.and(
	z.object({ id: text, slug: text, published_at: text }),
);
export const ARTICLES = '/blog/v1/articles';
/** The most that a page holds. */
export const PAGE_SIZE = 100;
/** Pages overlap, because an article that is removed meanwhile moves the others up. */
const PAGE_STEP = 90;

/** An article of the API as an event of a webhook: only what the API really returns. */
function publishedArticle(listed: unknown, source: string): ListedEvent[] {
	const parsed = listedArticleSchema.safeParse(listed);
	if (!parsed.success) return [];
	const { id, slug, title, excerpt, tags, published_at, url, ...more } = parsed.data;
	const at = timeOf(published_at);
	if (at === undefined) return [];
	const { content_html, content_markdown, updated_at, visibility, featured_image_url } = more;
	const known = { content_html, content_markdown, updated_at, visibility, featured_image_url };
	const article = {
		...{ id, slug, title, excerpt, tags, published_at, canonical_url: url },
		...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
	};
	return [{ event: 'article.published', at, data: { article }, source }];
}

/**
 * No call lists events, but the list of articles shows what was published
 * (docs.misar.io/blog/api-reference/articles). Whether
 * "newest first" goes by the time of publication is not documented.
 */
export const recovery: RecoveryApi = {
	things: 'articles',
	events: ['article.published'],
	description:
		'Misar.Blog sends each event only once. Articles that were published meanwhile are recovered; updates, deletions and comments are not.',
	// The Free plan (docs.misar.io/blog/api-reference/overview).
	callsPerMinute: 60,
	page: (_since, number) => ({
		path: ARTICLES,
		qs: { status: 'published', sort: 'newest', limit: PAGE_SIZE, offset: number * PAGE_STEP },
		read: (body) => {
			const { success, data } = articleListSchema.safeParse(body);
			return success
				? {
						events: data.data.flatMap((listed) => publishedArticle(listed, `GET ${ARTICLES}`)),
						size: data.data.length,
						total: data.total,
					}
				: undefined;
		},
	}),
	details: (listed) => {
		const { article } = identifiedSchema.parse(listed.data);
		const path = `${ARTICLES}/${encodeURIComponent(article.id)}`;
		return {
			path,
			qs: {},
			// Without its body an article is of more use than no article.
			read: (body) => {
				const [complete] = publishedArticle(body, `GET ${ARTICLES}/:id`);
				return complete === undefined ? listed : { ...complete, at: listed.at };
			},
		};
	},
	keys: ({ event, data }) => {
		const parsed = publishedSchema.safeParse(data);
		if (!parsed.success) return [];
		const { id, published_at: publishedAt } = parsed.data.article;
		return [`${event}|${id}|${timeOf(publishedAt)}`];
	},
};
