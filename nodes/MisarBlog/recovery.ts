import { z } from 'zod/v4';

import { pathSegment } from '../shared/url';
import { timeOf } from '../shared/values';
import { isJsonObject } from '../shared/jsonObject';
import type { ListedEvent, RecoveryApi } from '../shared/recoveryApi';

const id = z.union([z.string(), z.number()]).transform(String);
const time = z.union([z.string(), z.number()]).nullish();
/** What an article is recognised by. */
const articleSchema = z.object({ id, published_at: time });
const identifiedSchema = z.object({ article: articleSchema });
/** Without one that can be read, a list is read until a page is empty. */
const total = z.number().min(0).optional().catch(undefined);

/** A list of articles, as the API reference and the SDKs write it. */
export const articleListSchema = z.union([
	z.object({ data: z.array(z.unknown()), total }),
	z
		.object({ articles: z.array(z.unknown()), total })
		.transform(({ articles, ...more }) => ({ data: articles, ...more })),
]);
export const ARTICLES = '/blog/v1/articles';
/** The most that a page holds. */
export const PAGE_SIZE = 100;
/** How far the time of a delivery and of the list may differ. */
const TOLERANCE_MS = 5 * 60_000;

/** An article of the API as an event of a webhook: only what the API really returns. */
function publishedArticle(listed: unknown, source: string): ListedEvent[] {
	const identified = articleSchema.safeParse(listed);
	const at = timeOf(identified.data?.published_at);
	if (!identified.success || !isJsonObject(listed) || at === undefined) return [];
	const { slug, title, excerpt, tags, published_at, url, ...more } = listed;
	const { content_html, content_markdown, updated_at, visibility, featured_image_url } = more;
	const known = { content_html, content_markdown, updated_at, visibility, featured_image_url };
	const article = {
		...{ id: identified.data.id, slug, title, excerpt, tags, published_at, canonical_url: url },
		...Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)),
	};
	return [{ event: 'article.published', at, data: { article }, source }];
}

/**
 * No call lists events, but the list of articles shows what was published (docs.misar.io/blog/api-reference/articles).
 * Whether "newest first" means the time of publication is not documented.
 */
export const recovery: RecoveryApi = {
	noun: 'articles',
	events: ['article.published'],
	description:
		'Misar.Blog sends each event only once. Articles that were published meanwhile are recovered; updates, deletions and comments are not.',
	// The Free plan (docs.misar.io/blog/api-reference/overview).
	callsPerMinute: 60,
	pageSize: PAGE_SIZE,
	startsAnywhere: true,
	page: ({ offset, size }) => ({
		path: ARTICLES,
		qs: { status: 'published', sort: 'newest', limit: size, offset },
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
		const segment = pathSegment(article.id);
		if (segment === undefined) return undefined;
		return {
			path: `${ARTICLES}/${segment}`,
			qs: {},
			// An article without its content is of more use than none.
			read: (body) => {
				const [complete] = publishedArticle(body, `GET ${ARTICLES}/:id`);
				return complete === undefined ? listed : { ...complete, at: listed.at };
			},
		};
	},
	identify: ({ event, at, data }) => {
		const parsed = identifiedSchema.safeParse(data);
		if (!parsed.success) return undefined;
		const { article } = parsed.data;
		return {
			about: `${event}|${article.id}`,
			// A delivery may leave it out.
			at: timeOf(article.published_at) ?? at,
			toleranceMs: TOLERANCE_MS,
		};
	},
};
